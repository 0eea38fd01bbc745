"use strict";
module.exports.handler = (value) => ["common", value];
exports.other = () => "other";
