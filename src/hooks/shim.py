"""Runs one Python action for Styrmin: `styrmin_backend.actions` with the primitives, over JSON lines on standard input and output.

The first line says what to run; then each call is one line, and waits for one line. Standard output is the protocol's alone: what
the action prints becomes the call `log`, and what its subprocesses print goes to standard error.
"""

import asyncio
import collections
import concurrent.futures
import importlib.util
import inspect
import io
import json
import linecache
import os
import resource
import select
import signal
import sys
import threading
import traceback
import types

LINE_MAX = 4 << 20
DEPTH = 64
GRACE = 2
SECRET = "$secret"


class ActionError(Exception):
    """What fails an action: a call that is not done, or `fail`."""

    def __init__(self, what, why=""):
        super().__init__(what)
        self.what, self.why = what, why


class OverLimit(BaseException):
    """It took too much; no `except Exception` holds it."""


class Secret:
    """A secret that can be handed on and nothing else."""

    __slots__ = ("_reference",)
    __hash__ = None

    def __init__(self, reference):
        self._reference = reference

    def __repr__(self):
        return "(secret)"

    def __format__(self, spec):
        return format("(secret)", spec)

    def __eq__(self, other):
        if other is None:
            return False
        raise TypeError("a secret cannot be compared, only with None")

    def __reduce__(self):
        raise TypeError("a secret cannot be written")


class Struct(types.SimpleNamespace):
    """Fields by name."""

    def __repr__(self):
        return "struct(" + ", ".join("%s=%r" % field for field in vars(self).items()) + ")"


def is_secret(value):
    return isinstance(value, dict) and len(value) == 1 and SECRET in value


def plain(value):
    if is_secret(value):
        return Secret(value[SECRET])
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def outer(value, inner):
    """The value with its outermost objects as structs."""
    fields = lambda map: Struct(**{key: inner(item) for key, item in map.items()})
    if isinstance(value, dict) and SECRET not in value:
        return fields(value)
    if isinstance(value, list):
        return [fields(item) if isinstance(item, dict) and SECRET not in item else inner(item) for item in value]
    return inner(value)


def context_of(value):
    if not isinstance(value, dict):
        return plain(value)
    return Struct(**{key: plain(item) if key == "context" else outer(item, plain) for key, item in value.items()})


def to_json(value, keep, depth=0):
    """The value as JSON can write it; secrets only where `keep` says so."""
    if depth > DEPTH:
        raise TypeError("it is nested too deeply, or contains itself")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 64:
            raise TypeError("it has a number of more than 64 bits in it")
        return int(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise TypeError("it has the number %r in it" % value)
        return value
    if isinstance(value, Secret):
        if not keep:
            raise TypeError("it has a secret in it")
        return {SECRET: value._reference}
    if isinstance(value, (list, tuple)):
        return [to_json(item, keep, depth + 1) for item in value]
    if isinstance(value, Struct):
        value = vars(value)
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError("it has a dictionary with a key that is not a text")
            if key == SECRET:
                raise TypeError("it has a dictionary with the key '%s', which stands for a secret" % SECRET)
        return {key: to_json(item, keep, depth + 1) for key, item in value.items()}
    raise TypeError("it has a value of type %s in it" % type(value).__name__)


class Parent:
    """The other end of the streams."""

    def __init__(self):
        self.reader = os.fdopen(os.dup(0), "rb")
        self.writer = os.fdopen(os.dup(1), "wb")
        self.lock = threading.Lock()
        # One call after the other, in the order in which they are made.
        self.executor = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)

    def read(self):
        line = self.reader.readline()
        if not line:
            os._exit(1)
        return json.loads(line)

    def say(self, message):
        line = json.dumps(message).encode() + b"\n"
        if len(line) > LINE_MAX:
            return False
        try:
            self.writer.write(line)
            self.writer.flush()
        except OSError:
            os._exit(1)
        return True

    def call(self, name, arguments, place):
        message = {"call": {"name": name, "arguments": arguments}}
        if place is not None:
            message["call"]["place"] = place
        with self.lock:
            if not self.say(message):
                raise ActionError("%s: its arguments are larger than %d MiB" % (name, LINE_MAX >> 20))
            answer = self.read()
        if "refused" in answer:
            raise ActionError(answer["refused"]["what"], answer["refused"]["why"])
        return outer(answer["answer"], lambda value: value)

    def end_with_it(self):
        """Ends this process and what it started when the parent has gone."""

        def watch():
            poll = select.poll()
            poll.register(self.reader.fileno(), 0)
            while not poll.poll():
                pass
            if os.getpgrp() == os.getpid():
                os.killpg(os.getpgrp(), signal.SIGKILL)
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


class Printed(io.TextIOBase):
    """Standard output: each line is a call of `log`, in its turn among the others. Who prints in the loop does not wait for it."""

    # How many bytes may wait.
    WAITING = 1 << 20

    def __init__(self, action):
        self.action, self.kept = action, ""
        self.waiting, self.size = collections.deque(), 0

    def writable(self):
        return True

    def write(self, text):
        self.kept += text
        *lines, self.kept = self.kept.split("\n")
        if len(self.kept) > 1 << 16:
            lines, self.kept = lines + [self.kept], ""
        for line in lines:
            parent = self.action.parent
            told = parent.executor.submit(parent.call, "log", {"text": line}, self.action.place())
            self.size += len(line) + 100
            self.waiting.append((told, len(line) + 100))
        self.settle(self.WAITING if in_loop() else 0)
        return len(text)

    def settle(self, most):
        """Waits until so many bytes are left at most, and fails where a line was refused."""
        while self.waiting and (self.size > most or self.waiting[0][0].done()):
            told, size = self.waiting.popleft()
            self.size -= size
            told.result()

    def finish(self):
        if self.kept:
            self.write("\n")
        self.settle(0)


def in_loop():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Action:
    """One run of one function."""

    def __init__(self, parent, order):
        self.parent, self.order = parent, order
        # Calls by what was to be awaited, and how many are under way.
        self.unawaited, self.calling = {}, 0
        # Whether the function has come to its end: what is cut off then was not awaited.
        self.over = False
        self.printed = None
        self.root = os.path.join(os.getcwd(), ".driver")

    def path(self, file):
        """The path in the driver of a file of this machine."""
        return os.path.relpath(file, self.root) if file and file.startswith(self.root + os.sep) else None

    def place(self):
        """Where in the driver it is now."""
        frame = sys._getframe(1)
        while frame is not None:
            file = self.path(frame.f_code.co_filename)
            if file is not None:
                return {"file": file, "line": frame.f_lineno}
            frame = frame.f_back
        return None

    def primitive(self, signature):
        """A function that calls; where it is called is known before it is awaited."""
        kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        parameters = [inspect.Parameter(name, kind, default=empty) for name in signature["required"]]
        parameters += [inspect.Parameter(name, kind, default=None) for name in signature["optional"]]
        shape, name = inspect.Signature(parameters), signature["name"]

        def primitive(*args, **kwargs):
            try:
                given = shape.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise TypeError("%s: %s" % (name, error)) from None
            arguments = {}
            for key, value in given.items():
                if value is not None:
                    try:
                        arguments[key] = to_json(value, True)
                    except TypeError as error:
                        raise ActionError("%s: %s cannot be given" % (name, key), str(error)) from None
            place, token = self.place(), object()
            self.unawaited[token] = (name, place)

            async def performed():
                self.unawaited.pop(token, None)
                loop = asyncio.get_running_loop()
                self.calling += 1
                try:
                    return await loop.run_in_executor(self.parent.executor, self.parent.call, name, arguments, place)
                except asyncio.CancelledError:
                    if self.over:
                        self.unawaited[token] = (name, place)
                    raise
                finally:
                    self.calling -= 1

            return performed()

        primitive.__name__ = primitive.__qualname__ = name
        primitive.__signature__ = shape
        return primitive

    def provide(self):
        """Makes `styrmin_backend.actions` importable."""
        package, module = types.ModuleType("styrmin_backend"), types.ModuleType("styrmin_backend.actions")
        package.__path__, package.actions = [], module

        def flow(function=None, *_, **__):
            """Marks an action; with or without arguments, which are not needed here."""
            return function if callable(function) else lambda function: function

        def fail(*words):
            """Ends the action."""
            raise ActionError(" ".join(str(word) for word in words))

        there = {"flow": flow, "fail": fail, "ActionError": ActionError, "Secret": Secret}
        there.update((signature["name"], self.primitive(signature)) for signature in self.order["signatures"])
        vars(module).update(there)
        module.__all__ = sorted(there)

        def missing(name):
            if name.startswith("__"):
                raise AttributeError(name)
            raise ImportError("styrmin_backend.actions has no '%s'; there is: %s" % (name, ", ".join(sorted(there))))

        module.__getattr__ = missing
        sys.modules.update({"styrmin_backend": package, "styrmin_backend.actions": module})

    def unpack(self):
        """Writes the driver's files where Python finds them, beside the working directory that the action sees as empty."""
        os.mkdir(self.root, 0o700)
        for file, text in self.order["files"].items():
            path = os.path.normpath(os.path.join(self.root, file))
            if path.startswith(self.root + os.sep):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(text)

    def load(self):
        file, name = self.order["file"], self.order["function"]
        if file not in self.order["files"]:
            raise ActionError("the driver has no file '%s'" % file)
        path = os.path.join(self.root, file)
        sys.path[:0] = list(dict.fromkeys([os.path.dirname(path), self.root]))
        stem = os.path.splitext(os.path.basename(file))[0]
        spec = importlib.util.spec_from_file_location(stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[stem] = module
        spec.loader.exec_module(module)
        function = getattr(module, name, None)
        if not callable(function):
            raise ActionError("'%s' has no function '%s'" % (file, name))
        return function

    def arguments(self, function, context):
        """The context; or, by name, the deployment and the version, as the described system gives them."""
        parameters = list(inspect.signature(function).parameters.values())
        required = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if not parameters:
            return []
        if len(required) <= 1 and (not required or required[0].name != "deployment"):
            return [context]
        version = getattr(context, "to_version", None)
        known = {"ctx": context, "context": context, "deployment": getattr(context, "deployment", None)}
        known.update(dict.fromkeys(["version", "target_version", "to_version", "new_version"], version))
        unknown = [parameter.name for parameter in required if parameter.name not in known]
        if unknown:
            there = ", ".join(known)
            raise ActionError("'%s' wants '%s', which it cannot be given" % (function.__name__, unknown[0]), "there is: " + there)
        return [known[parameter.name] for parameter in required]

    def run(self):
        self.unpack()
        self.provide()
        self.printed = sys.stdout = Printed(self)
        function = self.load()
        result = function(*self.arguments(function, context_of(self.order["context"])))
        if inspect.isawaitable(result):

            async def whole():
                try:
                    return await result
                finally:
                    self.over = True

            result = asyncio.run(whole())
        self.printed.finish()
        for name, place in self.unawaited.values():
            message = failed("%s was called and is not done: it was not awaited" % name, "write: await %s(...)" % name)
            message["failed"]["place"] = place
            return message
        try:
            return {"returned": to_json(result, False)}
        except TypeError as error:
            return failed("what '%s' returned cannot be kept" % self.order["function"], str(error))

    def drain(self):
        """What was printed before it failed is told before that; not where a call is under way, which may take long."""
        if self.printed is not None and not self.calling:
            try:
                self.printed.finish()
            except Exception:
                pass

    def failure(self, error):
        """An exception as what is told: what, where, the line, the stack."""
        while getattr(error, "exceptions", None):
            error = error.exceptions[0]
        limits = self.order["limits"]
        what, why = "%s: %s" % (type(error).__name__, error), ""
        if isinstance(error, ActionError):
            what, why = error.what, error.why
        elif isinstance(error, OverLimit):
            what = str(error)
        elif isinstance(error, MemoryError):
            what = "it used more than %d MiB of memory" % limits["memory"]
        message = failed(what, why)
        inside = message["failed"]
        frames = [(self.path(frame.filename), frame) for frame in traceback.extract_tb(error.__traceback__)]
        frames = [(file, frame) for file, frame in frames if file is not None]
        inside["stack"] = [{"function": frame.name, "file": file, "line": frame.lineno} for file, frame in frames][-400:]
        if isinstance(error, SyntaxError) and self.path(error.filename) is not None:
            inside["what"] = "%s: %s" % (type(error).__name__, error.msg)
            inside["place"] = {"file": self.path(error.filename), "line": error.lineno or 1, "column": max(error.offset or 1, 1)}
            inside["source"] = linecache.getline(error.filename, error.lineno or 1).rstrip()[:4000]
        elif frames:
            file, frame = frames[-1]
            inside["place"] = {"file": file, "line": frame.lineno}
            inside["source"] = (frame.line or "")[:4000]
        return message


def failed(what, why=""):
    return {"failed": {"what": what[:4000], "why": why[:4000], "place": None, "source": None, "stack": []}}


def bound(limits):
    """Limits as the worker of Starlark sets them; the processor's is told first by a signal, while the place is known."""

    def limit(which, soft, hard):
        allowed = resource.getrlimit(which)[1]
        cut = lambda value: value if allowed == resource.RLIM_INFINITY else min(value, allowed)
        resource.setrlimit(which, (cut(soft), cut(hard)))

    def over(*_):
        raise OverLimit("it used more than %d s of processor time" % limits["processor"])

    signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, limits["processor"])
    limit(resource.RLIMIT_CPU, limits["processor"] + GRACE, limits["processor"] + 2 * GRACE)
    memory = (limits["memory"] + 64) << 20
    limit(resource.RLIMIT_DATA, memory, memory)
    space = memory + (1 << 30)
    limit(resource.RLIMIT_AS, space, space)
    limit(resource.RLIMIT_CORE, 0, 0)


def main():
    parent = Parent()
    order = parent.read()
    parent.end_with_it()
    action = Action(parent, order)
    try:
        bound(order["limits"])
        message = action.run()
    except BaseException as error:
        signal.setitimer(signal.ITIMER_PROF, 0)
        action.drain()
        message = action.failure(error)
    if not parent.say(message):
        parent.say(failed("what the function returned is larger than %d MiB" % (LINE_MAX >> 20)))
    # Threads and atexit functions of the action have no more say.
    sys.stderr.flush()
    os._exit(0)


main()
