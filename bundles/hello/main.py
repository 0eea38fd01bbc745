"""The smallest useful bundle: a handler that greets whom its input names."""


def hello(name=None):
    who = "world" if name is None else str(name)
    print(f"hello from Python, {who}")
    return {"greeting": f"Hello, {who}!", "language": "python"}
