#!/bin/bash
# What bench/peers makes of its samples: table, lines, plot.
exec node tests/bench/report.mjs
