"""One rule that a single order can make true."""
from entente import Findings, Partner, insight, previous, rule


@rule(practice="informative")
def busier(partner: Partner, *, window: str = "7d", times: float = 2.0) -> Findings:
    """Sales are a multiple of what they were.

    times  how much more it must be
    """
    now, before = partner["revenue.net"].over(window), partner["revenue.net"].over(previous(window))
    if now > before * times:
        yield insight(f"{now} within {window}, after {before}")
