"""What policy says of users' reports: how much one weighs, and when people look.

Pure. Reports bring people, never a penalty: however many come, and from whomever, no text is judged by them.
"""

from domain.report import ReporterRecord
from policies.model import PolicySet

ROUNDING = 1e-9


def weight_of(record: ReporterRecord, policies: PolicySet) -> float:
    """What a reporter's next report weighs: the mean of Beta(upheld + prior, dismissed + prior), in (0, 1)."""
    rules = policies.thresholds.reports
    right = record.upheld + rules.prior_upheld
    return right / (right + record.dismissed + rules.prior_dismissed)


def people_look(weight: float, policies: PolicySet) -> bool:
    """Whether open reports of this summed weight bring a case before people."""
    return weight >= policies.thresholds.reports.review_from - ROUNDING
