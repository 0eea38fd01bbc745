"""Work for the interpreter itself, the same in every guest: run(NAME) does it once and checks what came out."""

import json
import random
import re


def fib(n=24):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def nbody(steps=3000):
    # Sun, Jupiter, Saturn, Uranus, Neptune: position, velocity, mass.
    bodies = [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760],
        [4.84143144, -1.16032004, -0.10362204, 0.60632639, 2.81198684, -0.02521836, 0.03769367],
        [8.34336671, 4.12479856, -0.40352341, -1.01077434, 1.82566237, 0.00841576, 0.01128632],
        [12.89436956, -15.11115140, -0.22330757, 1.08279100, 0.86871301, -0.01083263, 0.00172372],
        [15.37969711, -25.91931460, 0.17925877, 0.97909073, 0.59469899, -0.03475595, 0.00203368],
    ]
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1 :]]
    dt = 0.01
    for _ in range(steps):
        for a, b in pairs:
            dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
            mag = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
            am, bm = a[6] * mag, b[6] * mag
            a[3] -= dx * bm
            a[4] -= dy * bm
            a[5] -= dz * bm
            b[3] += dx * am
            b[4] += dy * am
            b[5] += dz * am
        for body in bodies:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]
    return round(bodies[1][0], 6)


def nested(n=600):
    total = 0
    for i in range(n):
        for j in range(n):
            total += i ^ j
    return total


DATA = [{"id": i, "name": f"item{i}", "tags": ["x", "y"], "v": [i, i / 2, None, True]} for i in range(3000)]


def work_json(rounds=2):
    text = json.dumps(DATA)
    for _ in range(rounds - 1):
        text = json.dumps(json.loads(text))
    return len(json.dumps(json.loads(text)))


RANDOM = random.Random(1)
NUMBERS = [RANDOM.random() for _ in range(40000)]


def sort():
    numbers = sorted(NUMBERS)
    words = sorted((str(n) for n in numbers[::8]), key=lambda w: w[::-1])
    return round(numbers[20000], 6), words[0]


TEXT = "the quick brown fox <fox@example.org> jumps over 13 lazy dogs, 2026-11-21; " * 2000


def regex():
    mails = re.findall(r"<([\w.]+)@([\w.]+)>", TEXT)
    dates = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", TEXT).count("21.11.2026")
    words = sum(1 for m in re.finditer(r"\b[a-z]*o[a-z]*\b", TEXT))
    return len(mails), dates, words


WORK = {"fib": fib, "nbody": nbody, "nested": nested, "json": work_json, "sort": sort, "regex": regex}
EXPECTED = {
    "fib": 46368,
    "nbody": -5.426433,
    "nested": 136569312,
    "json": 255450,
    "sort": (0.500288, "0.4039844930208001"),
    "regex": (2000, 2000, 12000),
}


def run(name):
    value = WORK[name]()
    if value != EXPECTED[name]:
        raise ValueError(f"{name} gave {value!r} and has to give {EXPECTED[name]!r}")
