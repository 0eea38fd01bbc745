// atob and btoa (HTML, "Base64 utility methods"; Infra, "forgiving-base64").
"use strict";

(function (host, shared) {
  const { newDOMException, requireArguments } = shared;
  const { atob, btoa } = {
    atob(data) {
      requireArguments(arguments.length, 1, "atob");
      const text = host.base64Decode(`${data}`);
      if (text === null) throw newDOMException("atob: the string is not valid base64", "InvalidCharacterError");
      return text;
    },
    btoa(data) {
      requireArguments(arguments.length, 1, "btoa");
      const text = host.base64Encode(`${data}`);
      if (text === null)
        throw newDOMException("btoa: the string has a character above U+00FF", "InvalidCharacterError");
      return text;
    },
  };
  shared.defineOperation(atob);
  shared.defineOperation(btoa);
});
