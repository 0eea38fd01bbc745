/* The allocator of Python's objects, alone: blocks never overlap, keep what is in them, and come back. */
#include "engine_support.h"

#include "embedded/files.h"

/* A C library that never takes anything back, so that what it is asked for shows. */
static const char library[] =
    "const memory = new WebAssembly.Memory({ initial: 1024 });\n"
    "let top = 2 ** 20, limit = 2 ** 26, freed = 0, asked = 0;\n"
    "const take = (size, align = 16) => {\n"
    "  size ||= 1;\n"
    "  const at = Math.ceil(top / align) * align;\n"
    "  if (at + size > limit) return 0;\n"
    "  top = at + size; asked++;\n"
    "  return at;\n"
    "};\n"
    "const env = { memory, malloc: (size) => take(size), memalign: (align, size) => take(size, align),\n"
    "  calloc(count, size) { const at = take(count * size); if (at) new Uint8Array(memory.buffer, at, count * size).fill(0); return at },\n"
    "  realloc(at, size) { const to = take(size); if (to) new Uint8Array(memory.buffer).copyWithin(to, at, at + size); return to },\n"
    "  free() { freed++ },\n"
    "  PyObject_Malloc(size) { others++; return take(size) }, PyObject_Free() { others++ }, PyMem_SetAllocator() {} };\n"
    "let others = 0;\n"
    "const start = (bytes) => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env }).exports;\n"
    "const STATE = 4096;\n"
    "let seed = 1;\n"
    "const random = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >>> 8) % n };\n";

/* Blocks of all sizes come and go; each is filled with its own byte, which must be there when it goes. */
static const char churn[] =
    "const bytes = new Uint8Array(memory.buffer);\n"
    "const live = []; let mark = 0;\n"
    "const fill = (b, from) => bytes.fill(b.mark, b.at + from, b.at + b.size);\n"
    "const check = (b, size) => { for (let i = b.at; i < b.at + size; i++) if (bytes[i] !== b.mark) throw `${b.size} at ${i}` };\n"
    "const step = () => {\n"
    "  const what = random(10);\n"
    "  if (live.length < 50 || what < 4) {\n"
    "    const size = random(4) ? random(130) : random(700);\n"
    "    const zero = what === 0;\n"
    "    const at = zero ? x.aardvark_calloc(STATE, size, 1) : x.aardvark_malloc(STATE, size);\n"
    "    if (!at || at % 8) throw `block at ${at}`;\n"
    "    if (zero) for (let i = at; i < at + size; i++) if (bytes[i]) throw 'not zero';\n"
    "    const b = { at, size, mark: mark = mark % 255 + 1 };\n"
    "    fill(b, 0); live.push(b);\n"
    "  } else {\n"
    "    const i = random(live.length), b = live[i];\n"
    "    check(b, b.size);\n"
    "    if (what < 6) {\n"
    "      const size = random(600), kept = Math.min(size, b.size);\n"
    "      b.at = x.aardvark_realloc(STATE, b.at, size); b.size = size;\n"
    "      check(b, kept); fill(b, kept);\n"
    "    } else { x.aardvark_free(STATE, b.at); live[i] = live[live.length - 1]; live.pop(); }\n"
    "  }\n"
    "};\n"
    "for (let i = 0; i < 300000; i++) step();\n"
    "live.forEach((b) => check(b, b.size)); live.sort((a, b) => a.at - b.at);\n"
    "for (let i = 1; i < live.length; i++) if (live[i - 1].at + live[i - 1].size > live[i].at) throw 'blocks overlap';\n"
    "'fine'";

/* What one size gave back serves all others. */
static const char reuse[] =
    "const of = (size, count) => Array.from({ length: count }, () => x.aardvark_malloc(STATE, size));\n"
    "const round = (size) => { const blocks = of(size, 8e6 / (size + 7 & -8) | 0); if (blocks.includes(0)) throw 'no memory';\n"
    "  if (size & 8) blocks.reverse(); blocks.forEach((at) => x.aardvark_free(STATE, at)) };\n"
    "round(512); const high = top;\n"
    "for (let size = 1; size <= 512; size += 7) round(size);\n"
    "const more = top - high; more <= 2 * 2 ** 20 ? 'fine' : `${more} bytes more`";

static const char limits[] =
    "const big = x.aardvark_malloc(STATE, 513), before = freed; x.aardvark_free(STATE, big);\n"
    "if (freed !== before + 1) throw 'a large block is not the library\\'s';\n"
    "x.aardvark_free(STATE, 0);\n"
    "if (x.aardvark_calloc(STATE, 65536, 65536) !== 0) throw 'an overflow';\n"
    "const a = x.aardvark_malloc(STATE, 0), b = x.aardvark_malloc(STATE, 0);\n"
    "if (!a || !b || a === b) throw 'empty blocks are the same';\n"
    "const c = x.aardvark_realloc(STATE, 0, 100); if (!c) throw 'realloc of nothing';\n"
    "if (x.aardvark_realloc(STATE, c, 90) !== c) throw 'moved for nothing';\n"
    "const d = x.aardvark_malloc(STATE, 1); limit = top; let last, count = 0;\n"
    "while ((last = x.aardvark_malloc(STATE, 104))) count++;\n"
    "if (count < 100 || x.aardvark_realloc(STATE, c, 400) !== 0) throw `no end: ${count}`;\n"
    "if (x.aardvark_realloc(STATE, c, 8) === 0) throw 'a smaller block fails';\n"
    "x.aardvark_free(STATE, d); if (x.aardvark_malloc(STATE, 8) !== d) throw 'nothing comes back';\n"
    "'fine'";

static void passes(const char *code)
{
    fixture f;
    const aard__guest_file *file = aard__guest_find("python/allocator.wasm");
    assert_non_null(file);
    aard__buf text = AARD__BUF_INIT;
    aard__buf_printf(&text, "%sconst x = start(new Uint8Array([", library);
    for (size_t i = 0; i < file->len; i++) aard__buf_printf(&text, "%u,", (unsigned char)file->data[i]);
    aard__buf_printf(&text, "]));\n%s", code);
    aard__buf_putc(&text, '\0');
    open_fixture(&f);
    aard__result *result = run(&f, text.data);
    if (result->status != AARD__OK) fail_msg("%s", text_of(&result->thrown_text));
    string_is(result, "fine", 4);
    aard__buf_free(&text);
    close_fixture(&f);
}

static void test_blocks_keep_what_is_in_them(void **state)
{
    (void)state;
    passes(churn);
}

static void test_pools_serve_all_sizes(void **state)
{
    (void)state;
    passes(reuse);
}

/* What takes CPython's place does the same, while the allocator is set, and nothing of it otherwise. */
static const char places[] =
    "const words = new Uint32Array(memory.buffer), set = (domain, ctx) => { words[500] = ctx; x.PyMem_SetAllocator(domain, 2000) };\n"
    "words[255] = STATE;\n"
    "const one = x.PyObject_Malloc(24); if (others !== 1) throw 'not CPython\\'s before it is set';\n"
    "set(1, STATE); x.PyObject_Malloc(24); if (others !== 2) throw 'set for something else';\n"
    "set(2, STATE); const two = x.PyObject_Malloc(24), three = x.aardvark_malloc(STATE, 24);\n"
    "if (others !== 2 || three !== two + 24) throw 'not the same pool';\n"
    "x.PyObject_Free(three); if (x.aardvark_malloc(STATE, 24) !== three) throw 'not freed';\n"
    "x.PyObject_Free(one); if (freed !== 1) throw 'of the library';\n"
    "x.PyObject_Free(x.PyObject_Malloc(1000)); if (freed !== 2 || others !== 2) throw 'large blocks';\n"
    "set(2, 4); x.PyObject_Free(three); if (others !== 3) throw 'another is set';\n"
    "set(2, STATE); x.PyObject_Free(three); if (others !== 3 || x.PyObject_Malloc(20) !== three) throw 'set again';\n"
    "for (let i = 0; i < 100000; i++) x.PyObject_Malloc(i % 512 + 1) || fail();\n"
    "'fine'";

static void test_cpythons_functions_are_replaced(void **state)
{
    (void)state;
    passes(places);
}

static void test_limits(void **state)
{
    (void)state;
    passes(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_keep_what_is_in_them),
        cmocka_unit_test(test_pools_serve_all_sizes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_cpythons_functions_are_replaced),
    };
    return cmocka_run_group_tests_name("allocator", tests, NULL, NULL);
}
