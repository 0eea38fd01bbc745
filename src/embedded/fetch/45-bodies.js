// Bodies (Fetch Standard, "Body mixin"): bytes that are here, or a stream that gives them.  What has its bytes becomes a stream
// only where somebody asks for `body`.
"use strict";

(function (host, shared) {
  shared.bodies = shared.once(() => {
    const { JSONParse, Promise, ReflectApply, ReflectDefineProperty, ReflectGetOwnPropertyDescriptor, ReflectOwnKeys } = shared.primordials;
    const { TypeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, Uint8Array } = shared.primordials;
    const { ArrayBufferPrototypeGetByteLength, TypedArrayPrototypeGetToStringTag } = shared.primordials;
    const { list, toUSVString } = shared;
    const { bytesOf, copyOf, encode, join } = shared.bytes;

    class Body {
      bytes; // null where there is a stream, or `incoming`
      stream; // null as long as nobody has asked for one
      incoming; // what comes from the network (40-requests.js), or null
      used = false; // the bytes, or what is incoming, have been given away
      constructor(bytes, stream, incoming) {
        this.bytes = bytes;
        this.stream = stream;
        this.incoming = incoming;
      }
    }
    const bodyOf = (bytes) => new Body(bytes, null, null);
    const incomingBody = (incoming) => new Body(null, null, incoming);
    const isUsed = (body) => body !== null && (body.stream === null ? body.used : body.stream.disturbed);
    const isUnusable = (body) => isUsed(body) || (body.stream !== null && body.stream.reader !== null);
    const mustBeFresh = (body, where) => {
      if (body !== null && isUnusable(body)) throw new TypeError(`${where}: the body has been read already, or is being read`);
    };

    const streamOf = (body) => {
      if (body.stream !== null) return body.stream;
      if (body.incoming !== null && !body.used) body.stream = streamOfIncoming(body.incoming);
      else body.stream = shared.streamOfBytes(body.used ? new Uint8Array(0) : body.bytes);
      if (body.used) {
        shared.readableCore().close(body.stream);
        body.stream.disturbed = true;
      }
      body.bytes = body.incoming = null;
      return body.stream;
    };
    // Asks for a piece where its reader does, and so keeps the server from sending what nobody reads.
    const streamOfIncoming = (incoming) => {
      const { close, enqueue, fail, respond } = shared.byteControllers();
      const { Deferred, resolvedWith } = shared.streamParts();
      const pull = () => {
        const step = new Deferred();
        const done = () => step.resolve(undefined);
        incoming.pull(
          (bytes) => {
            enqueue(stream.controller, bytes);
            done();
          },
          () => {
            close(stream.controller);
            if (stream.controller.pending.length > 0) respond(stream.controller, 0);
            done();
          },
          (error) => {
            fail(stream.controller, error);
            done();
          },
        );
        return step.promise;
      };
      const cancel = (reason) => {
        incoming.stop(reason);
        return resolvedWith(undefined);
      };
      const stream = shared.readableStreams().createBytes(() => resolvedWith(undefined), pull, cancel);
      return stream;
    };

    // ---- what can be a body ------------------------------------------------------------------------------------------

    const isParams = (value) => {
      const { prototype } = shared.urlSearchParams().URLSearchParams;
      const size = ReflectGetOwnPropertyDescriptor(prototype, "size").get;
      return shared.hasBrand((one) => ReflectApply(size, one, []), value);
    };
    // { bytes, type, stream } of anything that can be a body; null for none.
    const contentOf = (value) => {
      const found = (bytes, type) => ({ __proto__: null, bytes, type, stream: null });
      if (value === undefined || value === null) return null;
      if (typeof value !== "object") return found(encode(toUSVString(value)), "text/plain;charset=UTF-8");
      const bytes = bytesOf(value);
      if (bytes !== null) return found(copyOf(bytes), null);
      const { isBlob, blobBytes, blobType } = shared.blobs();
      if (isBlob(value)) return found(copyOf(blobBytes(value)), blobType(value) === "" ? null : blobType(value));
      if (shared.formData().isFormData(value)) {
        const made = shared.formData().multipart(value);
        return found(made.bytes, made.type);
      }
      if (isParams(value)) return found(encode(toUSVString(value)), "application/x-www-form-urlencoded;charset=UTF-8");
      const { isReadable, streamOf: readableOf } = shared.readableStreams();
      if (isReadable(value)) return { __proto__: null, bytes: null, type: null, stream: readableOf(value) };
      return found(encode(toUSVString(value)), "text/plain;charset=UTF-8");
    };
    const extract = (value) => {
      const content = contentOf(value);
      if (content === null) return null;
      const body = new Body(content.bytes, content.stream, null);
      if (content.stream !== null) mustBeFresh(body, "a stream as a body");
      return { __proto__: null, body, type: content.type };
    };
    const isStreamed = ({ body }) => body.stream !== null;
    const setType = (headers, extracted) => {
      if (extracted !== null && extracted.type !== null && !headers.has("content-type"))
        headers.set("content-type", extracted.type);
    };

    // ---- giving it on ------------------------------------------------------------------------------------------------

    const cloned = (body, where) => {
      mustBeFresh(body, `${where}.clone`);
      if (body === null) return null;
      if (body.bytes !== null) return bodyOf(copyOf(body.bytes));
      const tee = shared.readableStreams().teeOf(streamOf(body), copyOfChunk);
      body.stream = tee.branch1;
      return new Body(null, tee.branch2, null);
    };
    const copyOfChunk = (chunk) => {
      const bytes = bytesOf(chunk);
      return bytes === null ? chunk : copyOf(bytes);
    };
    // The body for another object; the one that had it has it no longer.
    const moved = (body, where) => {
      mustBeFresh(body, where);
      if (body.stream === null) {
        body.used = true;
        return new Body(body.bytes, null, body.incoming);
      }
      const core = shared.readableCore();
      const { resolvedWith, Deferred } = shared.streamParts();
      const { close, enqueue, fail } = shared.defaultControllers();
      const reader = core.acquire(body.stream);
      body.stream.disturbed = true;
      const pull = () => {
        const step = new Deferred();
        const request = new core.ReadRequest(
          (chunk) => {
            enqueue(stream.controller, chunk);
            step.resolve(undefined);
          },
          () => {
            close(stream.controller);
            step.resolve(undefined);
          },
          (error) => {
            fail(stream.controller, error);
            step.resolve(undefined);
          },
        );
        core.read(reader, request);
        return step.promise;
      };
      const stream = shared.readableStreams().create(() => resolvedWith(undefined), pull, (reason) => core.cancelOf(reader, reason), 0);
      return new Body(null, stream, null);
    };

    // ---- reading all of it ---------------------------------------------------------------------------------------------

    const isBytes = (chunk) =>
      typeof chunk === "object" && chunk !== null && TypedArrayPrototypeGetToStringTag(chunk) === "Uint8Array";
    const readAll = (stream) => {
      const core = shared.readableCore();
      const { promise, resolve, reject } = new (shared.streamParts().Deferred)();
      const reader = core.acquire(stream);
      const parts = list();
      const request = new core.ReadRequest(
        (chunk) => {
          if (!isBytes(chunk)) {
            reject(new TypeError("a chunk of the body is not a Uint8Array"));
            shared.streamParts().markHandled(core.cancel(stream, undefined));
            return;
          }
          parts[parts.length] = chunk;
          // Not from in here: a stream that has all of its chunks already would nest as deeply as it is long.
          shared.streamParts().upon(shared.streamParts().resolvedWith(undefined), () => core.read(reader, request), reject);
        },
        () => resolve(whole(parts)),
        reject,
      );
      core.read(reader, request);
      return promise;
    };
    // One Uint8Array that has all of its buffer.
    const whole = (parts) => {
      if (parts.length === 1) {
        const length = TypedArrayPrototypeGetByteLength(parts[0]);
        if (ArrayBufferPrototypeGetByteLength(TypedArrayPrototypeGetBuffer(parts[0])) === length) return parts[0];
      }
      return join(parts);
    };
    const readIncoming = (incoming) =>
      new Promise((resolve, reject) => {
        const parts = list();
        // What is here is taken in a loop: each piece by the one before would nest as deeply as there are pieces.
        let more = true;
        let reading = false;
        const read = () => {
          if (reading) return;
          reading = true;
          while (more) {
            more = false;
            incoming.pull(
              (bytes) => {
                parts[parts.length] = bytes;
                more = true;
                read();
              },
              () => resolve(whole(parts)),
              reject,
            );
          }
          reading = false;
        };
        read();
      });
    // The bytes, or a promise of them.
    const takeBytes = (body, where) => {
      if (body === null) return new Uint8Array(0);
      mustBeFresh(body, where);
      if (body.stream !== null) return readAll(body.stream);
      body.used = true;
      return body.incoming === null ? body.bytes : readIncoming(body.incoming);
    };

    const decode = (bytes) => host.decodeUtf8(bytes, false, false);
    const toFormData = (bytes, type) => {
      const { essence, parameters } = type ?? { __proto__: null, essence: "" };
      if (essence === "application/x-www-form-urlencoded") return shared.formData().parseUrlEncoded(bytes);
      const boundary = essence === "multipart/form-data" ? shared.mimeTypes().valueOf(parameters, "boundary") : undefined;
      if (boundary === undefined)
        throw new TypeError("formData: the Content-Type is neither multipart/form-data with a boundary nor application/x-www-form-urlencoded");
      return shared.formData().parseMultipart(bytes, boundary);
    };

    // The methods of the mixin for `constructor`, whose instances have the state { body, headers } in `stateOf`.
    const mixBody = (constructor, stateOf) => {
      const take = (state) => takeBytes(state.body, constructor.name);
      const typeOf = (state) => shared.mimeTypes().ofHeaders(state.headers.get("content-type"));
      const mixin = {
        get body() {
          const { body } = stateOf(this);
          return body === null ? null : streamOf(body).object;
        },
        get bodyUsed() {
          return isUsed(stateOf(this).body);
        },
        async arrayBuffer() {
          return TypedArrayPrototypeGetBuffer(await take(stateOf(this)));
        },
        async blob() {
          const state = stateOf(this);
          const bytes = await take(state);
          const type = typeOf(state);
          return shared.blobs().create(bytes, type === null ? "" : shared.mimeTypes().serialize(type));
        },
        async bytes() {
          return await take(stateOf(this));
        },
        async formData() {
          const state = stateOf(this);
          return toFormData(await take(state), typeOf(state));
        },
        async json() {
          return JSONParse(decode(await take(stateOf(this))));
        },
        async text() {
          return decode(await take(stateOf(this)));
        },
      };
      for (let keys = ReflectOwnKeys(mixin), i = 0; i < keys.length; i++)
        ReflectDefineProperty(constructor.prototype, keys[i], ReflectGetOwnPropertyDescriptor(mixin, keys[i]));
    };
    return { __proto__: null, bodyOf, cloned, contentOf, extract, incomingBody, isStreamed, mixBody, moved, setType, takeBytes };
  });
  // For XMLHttpRequest: { bytes, type }, or null for none.
  shared.extractBody = (value) => {
    const content = shared.bodies().contentOf(value);
    if (content !== null && content.stream !== null) throw new shared.primordials.TypeError("a stream can't be sent by XMLHttpRequest");
    return content;
  };
});
