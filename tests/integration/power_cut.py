"""How a process kills itself at a point of its code, as a power cut would."""

import os
import signal
from functools import wraps
from typing import Any


def die_at(owner: Any, name: str, when: str, occurrence: int = 1) -> None:
    """Have a function or method end its process without a word, before or after it does its work.

    Args:
        owner: the module, class or object that has it.
        name: of the function.
        when: "before" or "after".
        occurrence: of its calls, the first of which is 1.
    """
    real = getattr(owner, name)
    calls = 0

    @wraps(real)
    def deadly(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        last = calls == occurrence
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **options)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
