"""Say in one line what went wrong, from what dbt and DuckDB say in many."""

import re
from pathlib import Path

# One cause fails many nodes; the first of these that is found in any message is told once.
CAUSES = {
    r"No space left on device|Could not write all required bytes": (
        "the disk is full, or a limit on file sizes is reached. Make room and build again"
    ),
    r"Out of Memory|failed to (?:allocate|pin|offload)|bad_alloc|bad allocation|MemoryError": (
        "there is not enough memory. Set DUCKDB_MEMORY_LIMIT, now 700MB unless you set it, to more "
        "if the machine has it, or build from fewer lines"
    ),
}

DAMAGED = "not a valid|could not read enough bytes|corrupt|checksum|serialization error"


def explain(result):
    """Say what went wrong.

    Parameters
    ----------
    result : dbtRunnerResult

    Returns
    -------
    list of str
        A line each.
    """
    if result.exception is not None:
        return [explain_exception(str(result.exception))]
    failed = [
        run
        for run in getattr(result.result, "results", [])
        if str(run.status) in ("error", "fail", "runtime error")
    ]
    everything = "\n".join(run.message or "" for run in failed)
    for cause, meaning in CAUSES.items():
        if re.search(cause, everything, re.IGNORECASE):
            return [meaning]
    return [explain_run(run) for run in failed] or [
        "dbt stopped for no stated reason; see logs/dbt.log"
    ]


def explain_run(run):
    """Say what went wrong with one node."""
    if str(run.status) == "fail":
        count = f"{run.failures} row(s)" if run.failures else "the rows"
        where = getattr(run.node, "original_file_path", "")
        return (
            f"test {run.node.name} failed: {count} not as promised, see {where} and the "
            f"query {getattr(run.node, 'compiled_path', None) or 'in logs/dbt.log'}"
        )
    line = first_line(run.message or "no message")
    # Our own messages name what they are about; others are about the node.
    ours = line.startswith(("invoices: ", "var ", "marts are ", "there is no setting "))
    return line if ours else f"{run.node.name}: {line}"


def explain_exception(message):
    """Find one line for what stopped dbt before or after its nodes.

    Parameters
    ----------
    message : str

    Returns
    -------
    str
    """
    lock = re.search(r'lock on file "([^"]+)".*?\(PID (\d+)\)', message, re.DOTALL)
    if lock:
        return (
            f"process {lock[2]} has {lock[1]} open. Another build? Wait for it. A query tool? "
            f"Let it open {Path(lock[1]).with_name('published.duckdb')} instead, which nobody locks"
        )
    named = re.search(r'"([^"]+\.duckdb)"', message)
    if named and re.search(DAMAGED, message, re.IGNORECASE):
        return (
            f"{named[1]} is damaged or no DuckDB file. Move it away and build again: all of it is "
            "made anew but the fits that were kept. Published marts are as they were"
        )
    for cause, meaning in CAUSES.items():
        if re.search(cause, message, re.IGNORECASE):
            return meaning
    return first_line(message)


def first_line(message):
    """Find the one line of a dbt message that says what is wrong.

    Parameters
    ----------
    message : str

    Returns
    -------
    str
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if "Python model failed:" in lines or any(line.startswith("Traceback") for line in lines):
        errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b.*:", line)]
        return re.sub(r"^[\w.]*?(\w+): ", "", errors[-1]) if errors else lines[-1]
    telling = [
        line
        for line in lines
        if not re.match(r"(Compilation|Runtime|Database|Parsing|Encountered).*(Error|error)", line)
        and not line.startswith((">", "compiled code at", "raise "))
    ]
    return telling[0] if telling else " ".join(lines)
