// URL, by the URL Standard.
"use strict";

const parses = (table) => {
  for (const [input, base, wanted] of table) {
    const what = `${JSON.stringify(input)} against ${base}`;
    const args = base === null ? [input] : [input, base];
    if (wanted === null) {
      assertThrows(() => new URL(...args), TypeError, what);
      assertEquals(URL.canParse(...args), false, what);
      assertEquals(URL.parse(...args), null, what);
    } else {
      assertEquals(new URL(...args).href, wanted, what);
      assertEquals(URL.canParse(...args), true, what);
      assertEquals(new URL(wanted).href, wanted, `${what}: again`);
    }
  }
};
const alone = (table) => parses(Object.entries(table).map(([input, wanted]) => [input, null, wanted]));
const against = (base, table) => parses(Object.entries(table).map(([input, wanted]) => [input, base, wanted]));

test("the parts", () => {
  const url = new URL("HTTPS://us%40er:p%3Aw@EXAMPLE.com:8443/a/b%20c;d?q=1&r=%20#frag ment");
  const parts = {
    href: "https://us%40er:p%3Aw@example.com:8443/a/b%20c;d?q=1&r=%20#frag%20ment",
    origin: "https://example.com:8443",
    protocol: "https:",
    username: "us%40er",
    password: "p%3Aw",
    host: "example.com:8443",
    hostname: "example.com",
    port: "8443",
    pathname: "/a/b%20c;d",
    search: "?q=1&r=%20",
    hash: "#frag%20ment",
  };
  for (const name in parts) assertEquals(url[name], parts[name], name);
  assertEquals([`${url}`, JSON.stringify(url)], [parts.href, JSON.stringify(parts.href)]);
});

test("empty parts", () => {
  const url = new URL("http://h?#");
  assertEquals([url.href, url.search, url.hash, url.port, url.username], ["http://h/?#", "", "", "", ""]);
});

test("schemes, blanks and slashes", () => {
  alone({
    "http://a": "http://a/",
    "  \t\nhttp://a/ \u0000\u001f": "http://a/",
    "ht\ntp:\t//a\r/b": "http://a/b",
    "http:a": "http://a/",
    "http:/a": "http://a/",
    "http:////a": "http://a/",
    "http:\\\\a\\b": "http://a/b",
    "wss:a/b": "wss://a/b",
    "ftp://a": "ftp://a/",
    "a:b": "a:b",
    "a:/b": "a:/b",
    "a://b": "a://b",
    "a:///b": "a:///b",
    "a:////b": "a:////b",
    "a:\\b": "a:\\b",
    "A+1.-:x": "a+1.-:x",
    "1a:x": null,
    ":x": null,
    "": null,
    "//a": null,
    "/a": null,
    "?a": null,
    "#a": null,
    a: null,
    "http:": null,
    "http://": null,
    "http://?x": null,
    "http://#x": null,
    "https:///": null,
    "javascript:alert(1)": "javascript:alert(1)",
    "data:text/plain,a b  ": "data:text/plain,a b",
    "mailto:a@b": "mailto:a@b",
    "about:blank": "about:blank",
  });
});

test("relative references (RFC 3986, 5.4)", () => {
  against("http://a/b/c/d;p?q", {
    "g:h": "g:h",
    g: "http://a/b/c/g",
    "./g": "http://a/b/c/g",
    "g/": "http://a/b/c/g/",
    "/g": "http://a/g",
    "//g": "http://g/",
    "?y": "http://a/b/c/d;p?y",
    "g?y": "http://a/b/c/g?y",
    "#s": "http://a/b/c/d;p?q#s",
    "g#s": "http://a/b/c/g#s",
    "g?y#s": "http://a/b/c/g?y#s",
    ";x": "http://a/b/c/;x",
    "g;x": "http://a/b/c/g;x",
    "": "http://a/b/c/d;p?q",
    ".": "http://a/b/c/",
    "./": "http://a/b/c/",
    "..": "http://a/b/",
    "../": "http://a/b/",
    "../g": "http://a/b/g",
    "../..": "http://a/",
    "../../g": "http://a/g",
    "../../../g": "http://a/g",
    "/./g": "http://a/g",
    "/../g": "http://a/g",
    "g.": "http://a/b/c/g.",
    ".g": "http://a/b/c/.g",
    "g..": "http://a/b/c/g..",
    "..g": "http://a/b/c/..g",
    "./../g": "http://a/b/g",
    "./g/.": "http://a/b/c/g/",
    "g/./h": "http://a/b/c/g/h",
    "g/../h": "http://a/b/c/h",
    "g;x=1/./y": "http://a/b/c/g;x=1/y",
    "g;x=1/../y": "http://a/b/c/y",
    "g?y/../x": "http://a/b/c/g?y/../x",
    "g#s/../x": "http://a/b/c/g#s/../x",
    "http:g": "http://a/b/c/g",
    "https:g": "https://g/",
  });
});

test("more relative references", () => {
  against("https://u:p@h:8/x/y?z#f", {
    "": "https://u:p@h:8/x/y?z",
    "?": "https://u:p@h:8/x/y?",
    "#": "https://u:p@h:8/x/y?z#",
    "\\a": "https://u:p@h:8/a",
    "\\\\a": "https://a/",
    "a\\..\\b": "https://u:p@h:8/x/b",
    "https:": "https://u:p@h:8/x/y?z",
    "https:/a": "https://u:p@h:8/a",
    "https:?q": "https://u:p@h:8/x/y?q",
    "///a": "https://a/",
    "//": null,
    "http:": null,
  });
  against("a:b", { "#f": "a:b#f", "": null, x: null, "/x": null, "?q": null, "c:d": "c:d" });
  against("a:b?q#f", { "#g": "a:b?q#g" });
  against("a://h/p/q", {
    x: "a://h/p/x",
    "/x": "a://h/x",
    "//x": "a://x",
    "\\x": "a://h/p/\\x",
    "..": "a://h/",
    "": "a://h/p/q",
  });
  against("a:/p/q", { x: "a:/p/x", "..//x": "a:/.//x", "//h": "a://h", "/.//x": "a:/.//x" });
  against("a:///p", { x: "a:///x", "": "a:///p" });
  parses([
    ["x", "not a url", null],
    ["http://x", "not a url", null],
    ["", "", null],
  ]);
});

test("dots, also percent-encoded ones", () => {
  alone({
    "http://h/a/./b": "http://h/a/b",
    "http://h/a/../b": "http://h/b",
    "http://h/a/%2e/b": "http://h/a/b",
    "http://h/a/%2E%2e/b": "http://h/b",
    "http://h/a/.%2e": "http://h/",
    "http://h/a/%2e.": "http://h/",
    "http://h/a/%2e": "http://h/a/",
    "http://h/...": "http://h/...",
    "http://h/%2e%2e%2e": "http://h/%2e%2e%2e",
    "http://h//a//..//b": "http://h//a//b",
    "http://h/a?../b": "http://h/a?../b",
    "a:b/../c": "a:b/../c",
    "a:/b/../c": "a:/c",
    "a:/..": "a:/",
    "a:/..//b": "a:/.//b",
  });
});

test("percent-encode sets", () => {
  const ascii = Array.from({ length: 0x5f }, (_, i) => String.fromCharCode(0x20 + i)).join("");
  const all = `\u0001\u007f${ascii.replace(/[\\#?/%]/g, "")}é\u{1f600}`;
  const url = new URL(`http://h/${all}?${all}#${all}`);
  const utf8 = "%C3%A9%F0%9F%98%80";
  assertEquals(
    url.pathname,
    "/%01%7F%20!%22$&'()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]%5E_%60" +
      `abcdefghijklmnopqrstuvwxyz%7B|%7D~${utf8}`,
  );
  assertEquals(
    url.search,
    "?%01%7F%20!%22$&%27()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`" +
      `abcdefghijklmnopqrstuvwxyz{|}~${utf8}`,
  );
  assertEquals(
    url.hash,
    "#%01%7F%20!%22$&'()*+,-.0123456789:;%3C=%3E@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_%60" +
      `abcdefghijklmnopqrstuvwxyz{|}~${utf8}`,
  );
  assertEquals(new URL("a:x?'").search, "?'", "only special schemes encode the apostrophe");
  assertEquals(new URL('a:\u0001 "<>`é').href, 'a:%01 "<>`%C3%A9', "opaque paths");
  assertEquals(new URL("http://h/%zz%4").href, "http://h/%zz%4", "a lone percent sign stays");
  assertEquals(new URL("http://h/\ud800?\udc00#\ud83d").href, "http://h/%EF%BF%BD?%EF%BF%BD#%EF%BF%BD");
});

test("the last space of an opaque path", () => {
  alone({
    "a:b ?q": "a:b%20?q",
    "a:b  #f": "a:b %20#f",
    "a: b c": "a: b c",
    "a:b %20": "a:b %20",
    "a: #": "a:%20#",
  });
});

test("credentials", () => {
  alone({
    "http://u@h": "http://u@h/",
    "http://u:@h": "http://u@h/",
    "http://:p@h": "http://:p@h/",
    "http://:@h": "http://h/",
    "http://@h": "http://h/",
    "http://a@b@h": "http://a%40b@h/",
    "http://a:b:c@h": "http://a:b%3Ac@h/",
    "http://a:b@c:d@h": "http://a:b%40c%3Ad@h/",
    "http://u;=|[]^:p/@h": null,
    "http://u;=|[]^`{}:'\"<>@h": "http://u%3B%3D%7C%5B%5D%5E%60%7B%7D:'%22%3C%3E@h/",
    "http://é:€@h": "http://%C3%A9:%E2%82%AC@h/",
    "http://u@": null,
    "http://u@/x": null,
    "http://u:p@:80": null,
    "a://u:p@h": "a://u:p@h",
    "a://u@": null,
  });
});

test("ports", () => {
  alone({
    "http://h:80": "http://h/",
    "https://h:443": "https://h/",
    "ws://h:80/": "ws://h/",
    "wss://h:443/": "wss://h/",
    "ftp://h:21/": "ftp://h/",
    "http://h:443": "http://h:443/",
    "http://h:0": "http://h:0/",
    "http://h:": "http://h/",
    "http://h:00080": "http://h/",
    "http://h:65535": "http://h:65535/",
    "http://h:65536": null,
    "http://h:99999999999999999999": null,
    "http://h:8a": null,
    "http://h:-1": null,
    "http://h: 80": null,
    "http://h:8\t0": "http://h/",
    "a://h:80": "a://h:80",
    "a://h:": "a://h",
    "http://:80": null,
    "a://:80": null,
  });
});

test("domains", () => {
  alone({
    "http://EXAMPLE.Com": "http://example.com/",
    "http://ex%61mple.com": "http://example.com/",
    "http://ex%C3%A4mple.com": "http://xn--exmple-cua.com/",
    "http://Bücher.de": "http://xn--bcher-kva.de/",
    "http://faß.de": "http://xn--fa-hia.de/",
    "http://ｅｘａｍｐｌｅ。com": "http://example.com/",
    "http://☕.example": "http://xn--53h.example/",
    "http://日本語.jp": "http://xn--wgv71a119e.jp/",
    "http://a.b.": "http://a.b./",
    "http://a..b": "http://a..b/",
    "http://-a-.b-": "http://-a-.b-/",
    "http://ab--cd": "http://ab--cd/",
    "http://a_b": "http://a_b/",
    "http://xn--": "http://xn--/",
    "http://XN--a": "http://xn--a/",
    "http://\u00ad": null,
    "http://a\u00adb": "http://ab/",
    "http://%EF%BF%BD": null,
    "http://%80": null,
    "http://\ufdd0.com": null,
    "http://\u200d.com": null,
    "http://א1a": null,
    "http://a b": null,
    "http://a<b": null,
    "http://a>b": null,
    "http://a^b": null,
    "http://a|b": null,
    "http://a%b": null,
    "http://a%00b": null,
    "http://a%2Fb": null,
    "http://a%7Fb": null,
    "http://a\u007fb": null,
    "http://a]b": null,
    "http://a[b": null,
    [`http://${"a".repeat(64)}.com`]: `http://${"a".repeat(64)}.com/`,
    "http://!\"$&'()*+,-.;=_`{}~": "http://!\"$&'()*+,-.;=_`{}~/",
  });
});

test("opaque hosts", () => {
  alone({
    "a://EX%41mple": "a://EX%41mple",
    "a://é": "a://%C3%A9",
    "a://1.2.3": "a://1.2.3",
    "a://\u0001b": "a://%01b",
    "a://%zz": "a://%zz",
    "a://a b": null,
    "a://a<b": null,
    "a://a^b": null,
    "a://a|b": null,
    "a://a\u0000b": null,
    "a://[::1]": "a://[::1]",
    "a://[": null,
  });
});

test("IPv4", () => {
  alone({
    "http://1.2.3.4": "http://1.2.3.4/",
    "http://1.2.3.4.": "http://1.2.3.4/",
    "http://1.2.3": "http://1.2.0.3/",
    "http://1.2": "http://1.0.0.2/",
    "http://1": "http://0.0.0.1/",
    "http://4294967295": "http://255.255.255.255/",
    "http://4294967296": null,
    "http://256.1.1.1": null,
    "http://1.2.3.256": null,
    "http://1.2.65535": "http://1.2.255.255/",
    "http://1.2.65536": null,
    "http://0x7f.1": "http://127.0.0.1/",
    "http://0X7F.0x0.1": "http://127.0.0.1/",
    "http://0x.0x": "http://0.0.0.0/",
    "http://017.1": "http://15.0.0.1/",
    "http://08.1": null,
    "http://0x1g.1": null,
    "http://1.2.3.4.5": null,
    "http://1.2.3.0x": "http://1.2.3.0/",
    "http://a.b.1": null,
    "http://a.0x1": null,
    "http://1.2.3.a": "http://1.2.3.a/",
    "http://1..2": null,
    "http://.1": null,
    "http://1.2.3..": "http://1.2.3../",
    "http://%31%2e2.3.4": "http://1.2.3.4/",
    "http://１.２.３.４": "http://1.2.3.4/",
    "http://99999999999999999999": null,
    "http://0xffffffff": "http://255.255.255.255/",
    "http://0x100000000": null,
    "http://00000000000000000001": "http://0.0.0.1/",
    "http://09": null,
    "http://1e3": "http://1e3/",
  });
});

test("IPv6", () => {
  alone({
    "http://[::]": "http://[::]/",
    "http://[::1]": "http://[::1]/",
    "http://[1::]": "http://[1::]/",
    "http://[1:2:3:4:5:6:7:8]": "http://[1:2:3:4:5:6:7:8]/",
    "http://[1:2::7:8]": "http://[1:2::7:8]/",
    "http://[0001:00a:0:0:0:0:0:F]": "http://[1:a::f]/",
    "http://[1:0:0:2:0:0:0:3]": "http://[1:0:0:2::3]/",
    "http://[1:0:0:2:3:0:0:4]": "http://[1::2:3:0:0:4]/",
    "http://[1:0:2:3:4:5:6:7]": "http://[1:0:2:3:4:5:6:7]/",
    "http://[0:0:1:2:3:4:5:6]": "http://[::1:2:3:4:5:6]/",
    "http://[1:2:3:4:5:6:0:0]": "http://[1:2:3:4:5:6::]/",
    "http://[1:2:3:4:5:6:7::]": "http://[1:2:3:4:5:6:7:0]/",
    "http://[::ffff:1.2.3.4]": "http://[::ffff:102:304]/",
    "http://[::1.2.3.4]": "http://[::102:304]/",
    "http://[1:2:3:4:5:6:1.2.3.4]": "http://[1:2:3:4:5:6:102:304]/",
    "http://[::1]:80": "http://[::1]/",
    "http://[::1]:81": "http://[::1]:81/",
    "http://[:1]": null,
    "http://[1:]": null,
    "http://[1:2]": null,
    "http://[1::2::3]": null,
    "http://[:::]": null,
    "http://[12345::]": null,
    "http://[g::]": null,
    "http://[1:2:3:4:5:6:7:8:9]": null,
    "http://[1:2:3:4:5:6:7:1.2.3.4]": null,
    "http://[::1.2.3]": null,
    "http://[::1.2.3.4.5]": null,
    "http://[::01.2.3.4]": null,
    "http://[::1.2.3.256]": null,
    "http://[::1.2.3.]": null,
    "http://[::.1.2.3]": null,
    "http://[::1.2.3.4:5]": null,
    "http://[::1%25eth0]": null,
    "http://[::1": null,
    "http://[]": null,
    "http://[::1]a": null,
    "http://a[::1]": null,
  });
});

test("files", () => {
  alone({
    "file:": "file:///",
    "file:///a": "file:///a",
    "file:/a": "file:///a",
    "file:a": "file:///a",
    "file://h/a": "file://h/a",
    "file://localhost/a": "file:///a",
    "file://LOCALHOST": "file:///",
    "file:////a": "file:////a",
    "file:\\\\h\\a": "file://h/a",
    "file:///C:/a": "file:///C:/a",
    "file:///C|/a": "file:///C:/a",
    "file:C|/a": "file:///C:/a",
    "file://C|/a": "file:///C:/a",
    "file://C:/a": "file:///C:/a",
    "file:///C:/..": "file:///C:/",
    "file:///C:/../..": "file:///C:/",
    "file:///CD:/..": "file:///",
    "file://h:80/": null,
    "file://u@h/": null,
    "file:?q": "file:///?q",
    "file:#f": "file:///#f",
    "file:///a/../b": "file:///b",
    "file://1.2/": "file://1.0.0.2/",
  });
  against("file:///C:/a/b", {
    c: "file:///C:/a/c",
    "/c": "file:///C:/c",
    "..": "file:///C:/",
    "../..": "file:///C:/",
    "D:/x": "d:/x",
    "/D:/x": "file:///D:/x",
    "D|/x": "file:///D:/x",
    "//h/x": "file://h/x",
    "?q": "file:///C:/a/b?q",
    "#f": "file:///C:/a/b#f",
    "": "file:///C:/a/b",
    "file:c": "file:///C:/a/c",
    "\\x": "file:///C:/x",
  });
  against("file://h/a/b", { "/C|/x": "file://h/C:/x", c: "file://h/a/c", "//": "file:///" });
});

test("origins", () => {
  const origins = {
    "http://h:80/": "http://h",
    "https://u:p@h:1/x": "https://h:1",
    "ftp://h": "ftp://h",
    "ws://h": "ws://h",
    "file:///x": "null",
    "a://h": "null",
    "data:x": "null",
    "blob:https://h:5/uuid": "https://h:5",
    "blob:http://h": "http://h",
    "blob:ftp://h/": "null",
    "blob:file:///x": "null",
    "blob:x": "null",
    "blob:blob:http://h": "null",
  };
  for (const url in origins) assertEquals(new URL(url).origin, origins[url], url);
});

const sets = (table) => {
  for (const [href, property, value, wanted] of table) {
    const url = new URL(href);
    url[property] = value;
    assertEquals(url.href, wanted, `${href}, ${property} = ${JSON.stringify(value)}`);
  }
};

test("setting href", () => {
  const url = new URL("http://a/?x=1");
  const params = url.searchParams;
  url.href = "https://b/?y=2";
  assertEquals([url.href, url.searchParams === params, params.get("y"), params.size], ["https://b/?y=2", true, "2", 1]);
  assertThrows(() => (url.href = "nonsense"), TypeError);
  assertEquals(url.href, "https://b/?y=2");
});

test("setting protocol", () => {
  sets([
    ["http://h/", "protocol", "https", "https://h/"],
    ["http://h/", "protocol", "FTP:", "ftp://h/"],
    ["http://h/", "protocol", "https://x", "https://h/"],
    ["https://h:80/", "protocol", "http", "http://h/"],
    ["http://h/", "protocol", "a", "http://h/"],
    ["a://h", "protocol", "http", "a://h"],
    ["a://h", "protocol", "b+1", "b+1://h"],
    ["http://u@h/", "protocol", "file", "http://u@h/"],
    ["http://h:1/", "protocol", "file", "http://h:1/"],
    ["http://h/", "protocol", "file", "file://h/"],
    ["file:///x", "protocol", "http", "file:///x"],
    ["file://h/x", "protocol", "http", "http://h/x"],
    ["http://h/", "protocol", "", "http://h/"],
    ["http://h/", "protocol", "1", "http://h/"],
    ["http://h/", "protocol", "é", "http://h/"],
    ["mailto:x", "protocol", "tel", "tel:x"],
  ]);
});

test("setting credentials", () => {
  sets([
    ["http://h/", "username", "u@é", "http://u%40%C3%A9@h/"],
    ["http://u:p@h/", "username", "", "http://:p@h/"],
    ["http://h/", "password", "p:", "http://:p%3A@h/"],
    ["http://u:p@h/", "password", "", "http://u@h/"],
    ["http://h/", "username", "%41", "http://%41@h/"],
    ["file://h/", "username", "u", "file://h/"],
    ["mailto:x", "username", "u", "mailto:x"],
    ["a:///x", "password", "p", "a:///x"],
    ["a://h", "password", "p", "a://:p@h"],
  ]);
});

test("setting host and hostname", () => {
  sets([
    ["http://h:1/x", "host", "i", "http://i:1/x"],
    ["http://h:1/x", "host", "i:2", "http://i:2/x"],
    ["http://h:1/x", "host", "i:80", "http://i/x"],
    ["http://h/x", "host", "i:", "http://i/x"],
    ["http://h/x", "host", "i:9x", "http://i:9/x"],
    ["http://h/x", "host", "i/y?q", "http://i/x"],
    ["http://h/x", "host", "", "http://h/x"],
    ["http://h/x", "host", ":2", "http://h/x"],
    ["http://h/x", "host", "a b", "http://h/x"],
    ["http://h/x", "host", "[::1]:5", "http://[::1]:5/x"],
    ["http://h/x", "host", "u@i", "http://h/x"],
    ["http://h/x", "host", "0x7f.1", "http://127.0.0.1/x"],
    ["http://h:1/x", "hostname", "i", "http://i:1/x"],
    ["http://h:1/x", "hostname", "i:2", "http://h:1/x"],
    ["http://h/x", "hostname", "É.de", "http://xn--9ca.de/x"],
    ["http://h/x", "hostname", "", "http://h/x"],
    ["a://h/x", "host", "", "a:///x"],
    ["a://u@h/x", "host", "", "a://u@h/x"],
    ["a://h:1/x", "hostname", "", "a://h:1/x"],
    ["a://h/x", "host", "É", "a://%C3%89/x"],
    ["file:///x", "host", "h", "file://h/x"],
    ["file://h/x", "host", "localhost", "file:///x"],
    ["file://h/x", "host", "", "file:///x"],
    ["file:///x", "host", "h:1", "file:///x"],
    ["mailto:x", "host", "h", "mailto:x"],
    ["a:/x", "host", "h", "a://h/x"],
  ]);
});

test("setting port", () => {
  sets([
    ["http://h/", "port", "81", "http://h:81/"],
    ["http://h/", "port", 81, "http://h:81/"],
    ["http://h:1/", "port", "80", "http://h/"],
    ["http://h:1/", "port", "", "http://h/"],
    ["http://h:1/", "port", "2x3", "http://h:2/"],
    ["http://h:1/", "port", "x", "http://h:1/"],
    ["http://h:1/", "port", "65536", "http://h:1/"],
    ["http://h:1/", "port", "\t2\n", "http://h:2/"],
    ["http://h:1/", "port", " 2", "http://h:1/"],
    ["http://h:1/", "port", "-2", "http://h:1/"],
    ["file://h/", "port", "1", "file://h/"],
    ["a:///", "port", "1", "a:///"],
    ["mailto:x", "port", "1", "mailto:x"],
  ]);
});

test("setting pathname", () => {
  sets([
    ["http://h/x?q#f", "pathname", "/a/../b c", "http://h/b%20c?q#f"],
    ["http://h/x", "pathname", "a", "http://h/a"],
    ["http://h/x", "pathname", "", "http://h/"],
    ["http://h/x", "pathname", "?#", "http://h/%3F%23"],
    ["http://h/x", "pathname", "\\a\\b", "http://h/a/b"],
    ["a://h/x", "pathname", "", "a://h"],
    ["a://h/x", "pathname", "\\a", "a://h/\\a"],
    ["a:/x", "pathname", "//y", "a:/.//y"],
    ["a:/x", "pathname", "", "a:/"],
    ["a:x", "pathname", "y", "a:x"],
    ["file:///C:/x", "pathname", "/D|/y", "file:///D:/y"],
  ]);
});

test("setting search and hash", () => {
  sets([
    ["http://h/#f", "search", "?a b'", "http://h/?a%20b%27#f"],
    ["http://h/#f", "search", "a#b", "http://h/?a%23b#f"],
    ["http://h/?x", "search", "", "http://h/"],
    ["http://h/?x", "search", "?", "http://h/?"],
    ["http://h/?x", "search", "??", "http://h/??"],
    ["a:b", "search", "'é", "a:b?'%C3%A9"],
    ["http://h/", "hash", "#a b`", "http://h/#a%20b%60"],
    ["http://h/", "hash", "##", "http://h/##"],
    ["http://h/#x", "hash", "", "http://h/"],
    ["http://h/#x", "hash", "#", "http://h/#"],
    ["http://h/", "hash", "a\tb\nc", "http://h/#abc"],
    ["javascript:x", "hash", "y", "javascript:x#y"],
  ]);
});

test("searchParams and the URL follow each other", () => {
  const url = new URL("http://h/?a=1&b=%20#f");
  const params = url.searchParams;
  assert(params === url.searchParams && params instanceof URLSearchParams);
  assertEquals(
    [...params],
    [
      ["a", "1"],
      ["b", " "],
    ],
  );
  assertEquals(url.search, "?a=1&b=%20", "looking changes nothing");
  params.append("c", "é&");
  assertEquals(url.href, "http://h/?a=1&b=+&c=%C3%A9%26#f");
  params.delete("a");
  params.delete("b");
  params.delete("c");
  assertEquals(url.href, "http://h/#f");
  url.search = "?x=1&x=2";
  assertEquals(params.getAll("x"), ["1", "2"]);
  params.sort();
  url.search = "";
  assertEquals(params.size, 0);
  assertThrows(() => (url.searchParams = params), TypeError);
});

test("arguments", () => {
  assertThrows(() => new URL(), TypeError);
  assertThrows(() => URL("http://h"), TypeError);
  assertThrows(() => URL.canParse(), TypeError);
  assertThrows(() => URL.parse(), TypeError);
  assertThrows(() => new URL(Symbol()), TypeError);
  assertThrows(() => new URL("x", null), TypeError);
  assertEquals(new URL({ toString: () => "http://h" }).href, "http://h/");
  assertEquals(new URL("x", new URL("http://h/y")).href, "http://h/x");
  assertEquals(new URL("http://h", undefined).href, "http://h/");
  assert(URL.parse("x", "http://h") instanceof URL);
  assert(assertThrows(() => new URL("no url"), TypeError).message.includes("'no url'"));
  assertEquals([URL.length, URL.canParse.length, URL.parse.length], [1, 1, 1]);
  assertThrows(() => URL.prototype.href, TypeError);
  assertThrows(() => (Object.create(URL.prototype).protocol = "a"), TypeError);
  assertThrows(() => (new URL("http://h").origin = "x"), TypeError);
});

test("long and hostile input ends soon", () => {
  const began = performance.now();
  const long = "a".repeat(200000);
  assertEquals(new URL(`http://h/${"a/".repeat(50000)}`).pathname.length, 100001);
  assertEquals(new URL(`http://h/${"../".repeat(50000)}`).pathname, "/");
  assertEquals(new URL(`http://${"@".repeat(2000)}h`).hostname, "h");
  assertEquals(new URL(`http://${long}/`).hostname.length, 200000);
  assertEquals(URL.canParse(`http://${"é".repeat(100000)}.com/`), URL.canParse(`http://${"é".repeat(100000)}.com/`));
  assertEquals(URL.canParse(`http://a${"\u0301\u0323".repeat(100000)}/`), false, "marks");
  assertEquals(URL.canParse(`http://[${":".repeat(100000)}]`), false);
  assertEquals(URL.canParse(`http://${"1.".repeat(100000)}`), false);
  assertEquals(URL.canParse(`http://${"%".repeat(100000)}`), false);
  assert(performance.now() - began < 20000, `${performance.now() - began} ms`);
});
