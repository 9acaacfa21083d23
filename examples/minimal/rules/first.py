"""One rule: what a strategist would say, written down."""
from entente import Findings, Partner, insight, previous, rule


@rule(practice="informative", audience="both")
def baskets_shrink(partner: Partner, *, window: str = "28d", least: float = 0.1) -> Findings:
    """The average order is clearly smaller than in the weeks before.

    least  share by which it must have shrunk
    """
    now, before = partner["aov"].over(window), partner["aov"].over(previous(window))
    if now < before * (1 - least):
        yield insight(f"The average order fell from {before} to {now} within {window}")
