// Headers, Request, Response, Blob, File and FormData, as far as they make no request.
"use strict";

test("headers are sorted, joined and checked", () => {
  const h = new Headers([["B", " 2 "], ["a", "1"], ["b", "3"], ["Set-Cookie", "x"], ["set-cookie", "y"]]);
  assertEquals([...h], [["a", "1"], ["b", "2, 3"], ["set-cookie", "x"], ["set-cookie", "y"]]);
  assertEquals([h.get("B"), h.get("none"), h.has("A"), h.getSetCookie()], ["2, 3", null, true, ["x", "y"]]);
  h.set("B", "4");
  h.delete("A");
  assertEquals([...h.keys()], ["b", "set-cookie", "set-cookie"]);
  assertEquals([...new Headers({ x: 1 }).values()], ["1"]);
  assertEquals([...new Headers(h)], [...h]);
  for (const [name, value] of [["", "x"], ["a b", "x"], ["a", "x\ny"], ["a", "x\0"], ["\u00e4", "x"], ["a", "\u0100"]])
    assertThrows(() => new Headers([[name, value]]), TypeError, `${name}: ${value}`);
  assertThrows(() => new Headers([["a"]]), TypeError);
  assertThrows(() => new Headers(1), TypeError);
  assertEquals(Object.prototype.toString.call(h), "[object Headers]");
});

test("requests", async () => {
  const r = new Request("https://example.com/a/../b#f", { method: "post", body: "x", headers: { A: "1", Host: "evil" } });
  assertEquals([r.method, r.url, r.headers.get("a"), r.headers.get("host"), r.redirect], ["POST", "https://example.com/b#f", "1", null, "follow"]);
  assertEquals(r.headers.get("content-type"), "text/plain;charset=UTF-8");
  const c = r.clone();
  assertEquals([await r.text(), r.bodyUsed, await c.text()], ["x", true, "x"]);
  assertThrows(() => r.clone(), TypeError);
  await assertRejects(r.text(), TypeError);
  const from = new Request(new Request("https://example.com/", { method: "PUT", body: "y" }), { headers: { B: "2" } });
  assertEquals([from.method, from.headers.get("b"), await from.text()], ["PUT", "2", "y"]);
  assertThrows(() => new Request("https://example.com/", { body: "x" }), TypeError, "a GET with a body");
  assertThrows(() => new Request("https://example.com/", { method: "a b" }), TypeError);
  assertThrows(() => new Request("https://example.com/", { redirect: "x" }), TypeError);
  assertThrows(() => new Request("https://example.com/", { signal: {} }), TypeError);
  assertThrows(() => new Request(), TypeError);
});

test("responses", async () => {
  const r = new Response("\ufeffh\u00e4", { status: 201, statusText: "Made", headers: { A: "1" } });
  assertEquals([r.status, r.ok, r.statusText, r.type, r.url, new Response().body], [201, true, "Made", "default", "", null]);
  assertEquals([await r.clone().text(), (await r.arrayBuffer()).byteLength], ["h\u00e4", 6]);
  assertEquals(await Response.json({ a: [1] }).json(), { a: [1] });
  assertEquals(Response.json(1).headers.get("content-type"), "application/json");
  assertEquals([Response.error().type, Response.error().status], ["error", 0]);
  const to = Response.redirect("https://example.com", 307);
  assertEquals([to.status, to.headers.get("location")], [307, "https://example.com/"]);
  assertThrows(() => to.headers.set("a", "b"), TypeError);
  assertThrows(() => new Response("x", { status: 204 }), TypeError);
  assertThrows(() => new Response("", { status: 99 }), RangeError);
  assertThrows(() => Response.redirect("https://example.com", 200), RangeError);
  await assertRejects(new Response("{").json(), SyntaxError);
  assertEquals([...(await new Response(new URLSearchParams("a=1&b=2")).formData())], [["a", "1"], ["b", "2"]]);
  assertEquals([...(await new Response(new Uint8Array([1, 2, 3]).subarray(1)).bytes())], [2, 3]);
  assertEquals((await new Response(new Blob(["x"], { type: "A/B" })).blob()).type, "a/b");
});

test("blobs and files", async () => {
  const b = new Blob(["a", new Uint8Array([98]), new Blob(["c"]), 1], { type: "X/Y" });
  assertEquals([b.size, b.type, await b.text()], [4, "x/y", "abc1"]);
  assertEquals([await b.slice(1, 3).text(), await b.slice(-2).text(), b.slice(3, 1).size], ["bc", "c1", 0]);
  const f = new File([b], "n.txt", { lastModified: 5 });
  assertEquals([f.name, f.lastModified, f.size, f instanceof Blob], ["n.txt", 5, 4, true]);
  assertThrows(() => new Blob("x"), TypeError);
  assertThrows(() => new File(["x"]), TypeError);
});

test("form data", async () => {
  const f = new FormData();
  f.append("a", 1);
  f.append("a", "2");
  f.append("f", new Blob(["x"]));
  f.set("a", "3");
  assertEquals([f.get("a"), f.getAll("a"), f.has("b"), [...f.keys()], f.get("f").name], ["3", ["3"], false, ["a", "f"], "blob"]);
  assertThrows(() => f.append("a", "x", "name"), TypeError);
  const r = new Response((f.append('q"\r\n', "l\nm"), f));
  const boundary = r.headers.get("content-type").split("boundary=")[1];
  assertEquals(
    await r.text(),
    `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n3\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="blob"\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="q%22%0D%0A"\r\n\r\nl\r\nm\r\n--${boundary}--\r\n`,
  );
});

test("requests of XMLHttpRequest have states", () => {
  const x = new XMLHttpRequest();
  assertEquals([x.readyState, x.status, x.responseText, XMLHttpRequest.DONE, x.OPENED], [0, 0, "", 4, 1]);
  assertThrows(() => x.send(), "InvalidStateError");
  assertThrows(() => x.setRequestHeader("a", "b"), "InvalidStateError");
  x.open("get", "https://example.com/");
  assertEquals(x.readyState, 1);
  assertThrows(() => x.setRequestHeader("a b", "c"), "SyntaxError");
  assertThrows(() => x.open("a b", "https://example.com/"), "SyntaxError");
  x.responseType = "json";
  x.responseType = "nothing that there is";
  assertEquals(x.responseType, "json");
  assertThrows(() => x.responseText, "InvalidStateError");
  assertThrows(() => new XMLHttpRequestEventTarget(), TypeError);
});

test("what a Blob's and a body's type is", async () => {
  const typeOf = async (type) => (await new Response("", { headers: { "content-type": type } }).blob()).type;
  assertEquals(await typeOf('Text/HTML; Charset="a b"; x=1;x=2'), 'text/html;charset="a b";x=1');
  assertEquals([await typeOf("nonsense"), await typeOf("a/b, c/d;e=f")], ["", "c/d;e=f"]);
  assertEquals(await typeOf("text/plain;charset=x, text/plain"), "text/plain;charset=x");
});

test("what can't be a form, or is iterated in a way of its own", () => {
  assertThrows(() => new FormData(null), TypeError);
  const h = new Headers({ a: "1" });
  h[Symbol.iterator] = function* () {
    yield ["b", "2"];
  };
  assertEquals([...new Headers(h).keys()], ["b"]);
  assertEquals([...new Headers(new Map([["c", "3"]]))], [["c", "3"]]);
});
