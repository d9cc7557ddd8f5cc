"""Drive Debian's Chromium without a screen, for the tests and pictures of the report.

The DevTools protocol goes through two pipes, so no package, port or network is needed.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    # Whatever is asked for by name is not found.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
]


class Browser:
    """One browser with one tab; a context manager."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        to_read, self.writing = os.pipe()
        self.reading, to_write = os.pipe()

        def connect():
            # Chromium reads from 3 and writes to 4.
            source, target = os.dup(to_read), os.dup(to_write)
            os.dup2(source, 3)
            os.dup2(target, 4)

        self.process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=connect,
            close_fds=False,
        )
        os.close(to_read)
        os.close(to_write)
        self.buffer = b""
        self.number = 0
        self.events = []
        self.session = None
        pages = [
            target
            for target in self.call("Target.getTargets")["targetInfos"]
            if target["type"] == "page"
        ]
        attached = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        """Hand out the browser."""
        return self

    def __exit__(self, *_):
        """End it and remove its profile."""
        self.process.terminate()
        self.process.wait(10)
        os.close(self.writing)
        os.close(self.reading)
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **parameters):
        """Call a method of the protocol and wait for what it returns."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writing, data) :]
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def receive(self, seconds=60):
        """Wait for the next message."""
        until = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.reading], [], [], until - time.monotonic())
            if not ready:
                raise TimeoutError(f"Chromium said nothing for {seconds} s")
            block = os.read(self.reading, 1 << 20)
            if not block:
                raise RuntimeError("Chromium ended")
            self.buffer += block
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def evaluate(self, expression):
        """Run JavaScript in the page; what it returns, awaited, as Python values."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def open(self, path, width=1440, height=900, dark=False, phone=False):
        """Open a file and wait until it is drawn."""
        self.size(width, height, phone=phone)
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("document.body?.dataset.drawn === 'true'")

    def size(self, width, height, scale=1, phone=False):
        """Make the window so many pixels large."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=phone,
        )

    def wait_for(self, condition, seconds=30):
        """Wait until an expression is true."""
        until = time.monotonic() + seconds
        while not self.evaluate(condition):
            if time.monotonic() > until:
                raise TimeoutError(f"not within {seconds} s: {condition}\n{self.complaints()}")
            time.sleep(0.05)

    def complaints(self):
        """Errors and refusals that the page has caused."""
        self.evaluate("1")
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                found.append(details.get("exception", {}).get("description", details["text"]))
            elif event.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in (
                "error",
                "assert",
            ):
                found.append(str([part.get("value") for part in parameters["args"]]))
            elif event.get("method") == "Log.entryAdded":
                found.append(parameters["entry"]["text"])
        return found

    def requests(self):
        """Addresses that the page has asked for, itself left out."""
        self.evaluate("1")
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
            and event["params"].get("type") != "Document"
        ]

    def picture(self, clip=None):
        """Take a PNG of the window, or of a part of the page (x, y, width, height)."""
        options = {}
        if clip:
            x, y, width, height = clip
            options = {
                "captureBeyondViewport": True,
                "clip": {"x": x, "y": y, "width": width, "height": height, "scale": 1},
            }
        return base64.b64decode(
            self.call("Page.captureScreenshot", format="png", **options)["data"]
        )
