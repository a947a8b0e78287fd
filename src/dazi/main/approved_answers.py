"""``answers.yaml`` of a company folder."""

from __future__ import annotations

from dazi.agent.approved import ApprovedAnswers, read_approved
from dazi.core.company import Company
from dazi.packs.layers import layers_of
from dazi.router.yaml_source import YamlSource

FILE = "answers.yaml"


def approved_answers(company: Company) -> ApprovedAnswers:
    """Raises ``ConfigError``."""
    path = layers_of(company.folder).find(FILE)
    if not path.is_file():
        return ApprovedAnswers()
    return read_approved(YamlSource(path), sorted(company.roles))
