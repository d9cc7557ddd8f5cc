"""Show how far a run of dbt is."""

import os
import time

from settings import printable

# The models that stand for a step, and what people are told when it begins.
STEPS = {
    "base_shop__files": "reading invoices",
    "int_invoice_lines_classified": "classifying invoice lines",
    "int_customers_as_of": "measuring customers at every month end",
    "int_fits": "fitting segmentations",
    "segments": "writing and testing segments",
}


class Progress:
    """One line a step; on a terminal, a last line that says which node runs."""

    def __init__(self, stream):
        self.stream = stream
        self.live = stream.isatty()
        self.total = 0
        self.done = 0
        self.failed = False
        self.parts = set()
        self.started = time.monotonic()

    def on_event(self, event):
        """Take an event of dbt's."""
        name = event.info.name
        if name == "NodeStart":
            self.start(event.data.node_info.node_name)
        elif name == "NodeFinished":
            self.done += 1
            self.failed |= event.data.node_info.node_status in ("error", "fail")
        elif name == "ConcurrencyLine":
            self.total = event.data.node_count
        elif name == "Note" and event.data.msg.startswith("fitting "):
            self.detail(event.data.msg)
        elif name == "PrintEvent":
            self.clear()
            # Paths are easier to read, and to use, from where one is.
            print(event.data.msg.replace(f"{os.getcwd()}/", ""), file=self.stream, flush=True)

    def start(self, node):
        """Say what begins."""
        if node in STEPS and not self.failed:
            self.clear()
            elapsed = time.monotonic() - self.started
            print(f"{elapsed:6.1f} s  {STEPS[node]}", file=self.stream, flush=True)
        if self.live:
            line = f"          {self.done}/{self.total}  {node}"
            print(f"\r\x1b[K{line[:78]}", end="", file=self.stream, flush=True)

    def detail(self, message):
        """Say what a long step is doing: on a terminal in the last line, else each part once."""
        message = printable(message)
        if self.live:
            print(f"\r\x1b[K          {message}"[:88], end="", file=self.stream, flush=True)
            return
        part = message.split(":")[0]
        if part not in self.parts:
            self.parts.add(part)
            print(f"          {part}", file=self.stream, flush=True)

    def clear(self):
        """Take the last line away."""
        if self.live:
            print("\r\x1b[K", end="", file=self.stream, flush=True)
