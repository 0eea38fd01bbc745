module.exports = (value) => ["whole", value];
