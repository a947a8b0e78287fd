"""``dazi check``: a company folder, validated whole."""

from __future__ import annotations

from pathlib import Path

from dazi.access.cedar import CedarPolicy
from dazi.access.limits.rules import prices_of, rules_of
from dazi.apps.reports.declare import load_reports
from dazi.core.language import Language
from dazi.main.access_settings import access_settings
from dazi.main.alerting import declared
from dazi.main.approved_answers import approved_answers
from dazi.main.channels import declared_channels
from dazi.main.company import load_company
from dazi.main.contract_settings import contract_conditions
from dazi.main.desk import desk_rules
from dazi.main.guarding import guard_of
from dazi.main.knowledge_settings import knowledge_settings
from dazi.main.origins import origins
from dazi.main.pool import FILE, read_models
from dazi.main.risk_settings import risk_settings
from dazi.main.settings import Settings
from dazi.main.systems import connector_context, make_connectors
from dazi.main.widget_settings import widget_sites


def check_folder(folder: Path, language: Language) -> list[str]:
    """What was found to be in order. Raises ``ConfigError`` at the first mistake."""
    company = load_company(folder)
    policy = CedarPolicy(company)
    guard_of(folder)
    risk_settings(company)
    rules_of(company.settings, folder)
    prices_of(company.settings, folder)
    access_settings(company)
    data = Settings().data_folder(folder)
    knowledge_settings(company)
    desk_rules(company)
    widget_sites(company, data, keys=not company.demo)
    contract_conditions(company)
    reports = load_reports(company)
    approved_answers(company)
    declared(folder)
    declared_channels(company)
    if (folder / FILE).is_file():
        read_models(folder / FILE, folder)
    make_connectors(company, connector_context(company, data, None))
    counts = {
        "zh": f"{folder}: {len(company.tools)} 个工具,{len(company.roles)} 个角色,"
        f"{len(company.connectors)} 个系统,{policy.own} 条策略,{len(reports)} 个报表,没有发现问题",
        "en": f"{folder}: {len(company.tools)} tools, {len(company.roles)} roles, "
        f"{len(company.connectors)} systems, {policy.own} policies, {len(reports)} reports, no mistakes found",
    }
    return [counts[language], *origins(company, language)]
