"""Patience with a processor, and its end: repetitions with growing pauses, and a circuit breaker that gives a processor in trouble a rest."""

from __future__ import annotations

from collections.abc import Callable

from circuitbreaker import CircuitBreaker
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay, wait_random_exponential

from payments.processors.base import Charge, Outcome, Processor, ProcessorUnavailable, Undecided

ATTEMPTS = 3
"""Of one call, the first included; the queue brings the message again after that."""
REPETITIONS = 4.0
"""Seconds after which a call is not repeated any more. Who did not answer for so long will hardly do so now, and the callers' time is short."""
FIRST_PAUSE = 0.1
"""Seconds; each pause is a random time up to twice the bound of the one before ("full jitter")."""
LONGEST_PAUSE = 1.0
"""Seconds."""
FAILURES_TO_OPEN = 5
"""Calls in a row that got no answer, after which none is made for REST."""
REST = 15.0
"""Seconds."""


class Resilient:
    """A processor that is asked again where that may help. The idempotency key makes every repetition harmless.

    The breaker is this process's: a Lambda environment learns of trouble by itself, and needs no other service to be told.
    """

    def __init__(
        self,
        processor: Processor,
        *,
        attempts: int = ATTEMPTS,
        repetitions: float = REPETITIONS,
        first_pause: float = FIRST_PAUSE,
        rest: float = REST,
    ) -> None:
        self._processor = processor
        self._breaker = CircuitBreaker(failure_threshold=FAILURES_TO_OPEN, recovery_timeout=rest, expected_exception=_is_silence, name=processor.name)
        self._retrying = Retrying(
            retry=retry_if_exception_type(ProcessorUnavailable),
            stop=stop_after_attempt(attempts) | stop_after_delay(repetitions),
            wait=wait_random_exponential(multiplier=first_pause, max=LONGEST_PAUSE),
            reraise=True,
        )

    @property
    def name(self) -> str:
        """See Processor."""
        return self._processor.name

    def authorize(self, charge: Charge) -> Outcome:
        """See Processor."""
        return self._asked(lambda: self._processor.authorize(charge))

    def capture(self, charge: Charge, processor_reference: str) -> Outcome:
        """See Processor."""
        return self._asked(lambda: self._processor.capture(charge, processor_reference))

    def _asked(self, call: Callable[[], Outcome]) -> Outcome:
        if self._breaker.opened:
            raise ProcessorUnavailable(
                f"{self.name} is not asked for {self._breaker.open_remaining:.0f} s more: its last {FAILURES_TO_OPEN} calls got no answer"
            )
        # A copy: the object keeps count of its attempts, and threads share this processor.
        return self._breaker.call(self._retrying.copy(), call)


def _is_silence(kind: type[BaseException], _: object) -> bool:
    """Whether a call that ended so got no answer at all, as the next one may; what one payment is answered is no reason to ask for no other."""
    return issubclass(kind, ProcessorUnavailable) and not issubclass(kind, Undecided)
