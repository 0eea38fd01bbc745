"""An agent's loop over `aardvark session`: a model writes steps, calls tools, and sees what came of it.  agent.py [AARDVARK]"""
import json
import subprocess
import sys

TOOLS = {"weather": lambda city: {"city": city, "celsius": {"Oslo": -3, "Lima": 19}[city]}}
SCHEMAS = [{"name": "weather", "description": "The weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]


class Session:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.last = 0
        self.ask("initialize", callbacks=SCHEMAS, limits={"wall_ms": 60000})

    def send(self, **message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")

    def ask(self, method, **params):
        """The result of a request; meanwhile output is passed on and tools are called."""
        self.last += 1
        self.send(id=self.last, method=method, params=params)
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("method") == "output":
                print(message["params"]["text"], end="")
            elif message.get("method") == "callback":
                self.answer(message["id"], **message["params"])
            elif message["id"] == self.last:
                if "error" in message:
                    raise RuntimeError(message["error"]["message"])
                return message["result"]
        raise RuntimeError("the session has ended")

    def answer(self, number, id, name, arguments):
        try:
            self.send(id=number, result=TOOLS[name](**arguments))
        except Exception as error:
            self.send(id=number, error={"type": type(error).__name__, "message": str(error)})

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def model(steps=iter(["import asyncio\ncities = await asyncio.gather(weather(city='Oslo'), weather(city='Lima'))",
                      "print(cities)\nawait weather(city='Atlantis')",
                      "max(cities, key=lambda c: c['celsius'])['city']"])):
    """Stands for the model: it is shown what came of the step before, and writes the next; None at the end."""
    return lambda seen: next(steps, None)


session, write, seen = Session([sys.argv[1] if len(sys.argv) > 1 else "aardvark", "session"]), model(), "begin"
while code := write(seen):
    outcome = session.ask("execute", code=code, rollback=True)
    seen = outcome["failure"]["message"] if outcome["failure"] else json.dumps(outcome["value"])
    print("=>", seen)
sys.exit(session.close())
