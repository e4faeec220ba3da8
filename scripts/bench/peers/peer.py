"""The benchmark's side of a Python contestant; src/apps/bench/protocol.ts says what is exchanged."""

import json
import sys
import time


def say(**line):
    """Print one line of the protocol."""
    print(json.dumps(line), flush=True)


class Job:
    """What is to be measured, and the files that every contestant starts from."""

    def __init__(self, job):
        self.case = job["case"]
        self.threads = job["threads"]
        self.checked_steps = job["checkedSteps"]
        self.checked_examples = job["checkedExamples"]
        self.units = self.case.get("units")
        self.batch = self.case["batch"]
        self._files = job["files"]

    def images(self):
        """Pixels from 0 to 1 [n, 784] or as the case has its images, and labels [n]."""
        from safetensors.numpy import load_file

        data = load_file(self._files["data"])
        images = data["images"].astype("float32") / 255
        return images.reshape(-1, *self.case.get("image", images.shape[1:])), data["labels"]

    def weights(self):
        """Initial weights by name, convolutions as [height, width, channels, filters]."""
        from safetensors.numpy import load_file

        return load_file(self._files["weights"])

    def layers(self):
        """Initial weights [fan_in, fan_out] and bias of each layer."""
        data = self.weights()
        names = [f"layers.{2 * i}" for i in range(len(self.units) - 1)]
        return [(data[f"{name}.weight"], data[f"{name}.bias"]) for name in names]

    def batches(self):
        """Examples of each batch [steps, batch], to be repeated from the beginning."""
        from safetensors.numpy import load_file

        return load_file(self._files["order"])["order"].reshape(-1, self.batch)


class Rows:
    """The batches in their order, over and over."""

    def __init__(self, batches):
        self._batches = batches
        self._next = 0

    def take(self, count):
        """Return up to `count` batches that follow each other."""
        rows = self._batches[self._next : self._next + count]
        self._next = (self._next + len(rows)) % len(self._batches)
        return rows


def check(job, run, loss):
    """Take the checked steps and return the losses after them."""
    losses, done = [], 0
    for steps in job.checked_steps:
        run(steps - done)
        done = steps
        losses.append(float(loss()))
    return losses


# Seconds: as many steps make a window as take so long.
WINDOW = 0.1


def window(run, count):
    """Take at least so many steps; return how many they were and their seconds."""
    begin = time.perf_counter()
    done = run(count)
    return done, time.perf_counter() - begin


def measure(run, seconds):
    """Time windows of whole steps, as src/apps/bench/measure.ts does; return a round."""
    count = 1
    steps, passed = window(run, count)
    while passed < WINDOW:
        count *= 2
        steps, passed = window(run, count)
    windows = [(steps, passed)]
    elapsed = passed
    while elapsed < seconds or len(windows) < 3:
        steps, passed = window(run, count)
        windows.append((steps, passed))
        elapsed += passed
    return {
        "usPerStep": elapsed / sum(steps for steps, _ in windows) * 1e6,
        "windows": [passed / steps * 1e6 for steps, passed in windows],
    }


def main(start):
    """Run a contestant.

    `start(job)` returns what the first line says and a function that takes at least so many steps
    and returns how many it took.
    """
    job = Job(json.loads(sys.argv[-1]))
    try:
        ready, run = start(job)
    except ImportError as error:
        say(unavailable=f"{error}: node scripts/bench/peers/setup.mjs")
        return
    if job.case["kind"] not in ("training", "images"):
        measure(run, 0.1)
    say(**ready)
    for line in sys.stdin:
        say(**measure(run, float(line)))
