"""Signing in against a real directory: OpenLDAP's slapd, started here and thrown away."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from dazi.access import ldap as ldap_module
from dazi.access.ldap import Ldap
from dazi.access.ldap_config import LdapConfig
from dazi.access.sign_in import Attempt, SignIn, SignInRules
from dazi.core.errors import AccessError, ConfigError, OperatorError, OverloadError
from tests.access.accounts.conftest import Office, directory

BASE = "dc=example,dc=com"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
SERVICE = f"cn=dazi,{BASE}"
WORD = "Kx7-mauerwerk"
SALES = f"cn=sales,{GROUPS}"

LDIF = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: {SERVICE}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: dazi
userPassword: service-word

dn: uid=Zhou,{PEOPLE}
objectClass: inetOrgPerson
uid: Zhou
cn: Zhou Min
sn: Zhou
departmentNumber: Sales
employeeNumber: E77
userPassword: {WORD}

dn: uid=star*(x),{PEOPLE}
objectClass: inetOrgPerson
uid: star*(x)
cn: Star
sn: Star
userPassword: {WORD}

dn: uid=twin,{PEOPLE}
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: Twin
userPassword: {WORD}

dn: cn=Other Twin,{PEOPLE}
objectClass: inetOrgPerson
uid: twin
cn: Other Twin
sn: Twin
userPassword: {WORD}

dn: {SALES}
objectClass: groupOfNames
cn: sales
member: uid=Zhou,{PEOPLE}

dn: cn=board,{GROUPS}
objectClass: groupOfNames
cn: board
member: uid=twin,{PEOPLE}
"""


@dataclass(frozen=True)
class Server:
    plain: int
    secure: int
    ca: Path


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin:/usr/local/sbin")
    schema = Path("/etc/ldap/schema")
    if program is None or not schema.is_dir():
        line = "no slapd here: nothing was tested against a directory; install slapd"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    folder = tmp_path_factory.mktemp("slapd")
    (folder / "data").mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    made = authority.issue_cert("localhost")
    made.private_key_pem.write_to_path(folder / "key.pem")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    modules = next(Path("/usr/lib/ldap").glob("back_mdb*"), None)
    load = f"modulepath {modules.parent}\nmoduleload back_mdb\n" if modules else ""
    (folder / "slapd.conf").write_text(
        "".join(f"include {schema / name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
        + load
        + f"pidfile {folder}/pid\nTLSCACertificateFile {folder}/ca.pem\n"
        + f"TLSCertificateFile {folder}/cert.pem\nTLSCertificateKeyFile {folder}/key.pem\n"
        # Many servers let this in as nobody; that is what must not be taken for a sign-in.
        + f"allow bind_anon_cred bind_anon_dn\ndatabase mdb\nsuffix {BASE}\n"
        + f"directory {folder}/data\n"
        + "access to attrs=userPassword by anonymous auth by * none\n"
        + f'access to * by dn.exact="{SERVICE}" read by * none\n',
        "utf-8",
    )
    (folder / "people.ldif").write_text(LDIF, "utf-8")
    adding = [
        program,
        "-T",
        "add",
        "-f",
        str(folder / "slapd.conf"),
        "-l",
        str(folder / "people.ldif"),
    ]
    subprocess.run(adding, check=True, capture_output=True)
    plain, secure = free(), free()
    process = subprocess.Popen(
        [
            program, "-d", "0", "-f", str(folder / "slapd.conf"),
            "-h", f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{secure}",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for port in (plain, secure):
            _wait(process, port)
        yield Server(plain, secure, folder / "ca.pem")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        assert process.poll() is None, "slapd ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("slapd did not start")


def config(slapd: Server, **more: Any) -> LdapConfig:
    given: dict[str, Any] = {
        "url": f"ldaps://localhost:{slapd.secure}",
        "ca_file": str(slapd.ca),
        "group_base": GROUPS,
        "roles": {"CN=Sales, ou=groups,dc=example,dc=com": ("staff",)},
        "attributes": {"employeeNumber": "employee_id"},
    }
    given |= {"base": BASE, "bind_dn": SERVICE, "bind_password": "service-word"}
    return LdapConfig("corp", **{**given, **more})


async def sign_in(slapd: Server, user: str, password: str = WORD, **more: Any) -> Any:
    ldap = Ldap(config(slapd, **more))
    try:
        return await ldap.sign_in(user, password)
    finally:
        ldap.close()


WAYS = {
    "ldaps": lambda s: {},
    "starttls": lambda s: {"url": f"ldap://localhost:{s.plain}"},
    "this machine in plain": lambda s: {"url": f"ldap://127.0.0.1:{s.plain}", "plain": True},
}


@pytest.mark.parametrize("way", WAYS)
async def test_somebody_signs_in(slapd: Server, way: str) -> None:
    found = await sign_in(slapd, "zhou", **WAYS[way](slapd))
    assert (found.source, found.user, found.name) == ("ldap:corp", "zhou", "Zhou Min")
    assert (found.roles, found.department) == ({"staff"}, "Sales")
    assert dict(found.attributes) == {"employee_id": "E77"} and len(found.subject) == 36
    assert (await sign_in(slapd, "ZHOU", **WAYS[way](slapd))).subject == found.subject


@pytest.mark.parametrize("password", ["", "wrong", "\0", f"{WORD}\0", "service-word", "x" * 2000])
async def test_wrong_passwords(slapd: Server, password: str) -> None:
    with pytest.raises(AccessError, match="wrong user name or password"):
        await sign_in(slapd, "zhou", password)


async def test_an_empty_password_would_get_in_without_the_guard(
    slapd: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server answers to it: success. The guard is the only thing in between."""
    real = ldap_module.Connection

    def lenient(server: Any, user: str, word: str, **options: Any) -> Any:
        # The library refuses to send an empty password with a name; to the server this is the same.
        return (
            real(server, user, word, **options)
            if word
            else real(server, **{**options, "authentication": "ANONYMOUS"})
        )

    monkeypatch.setattr(ldap_module, "Connection", lenient)
    ldap = Ldap(config(slapd))
    assert ldap._sign_in("zhou", "").user == "zhou"
    with pytest.raises(AccessError):
        await ldap.sign_in("zhou", "")
    ldap.close()


@pytest.mark.parametrize(
    "user",
    [
        "*", "z*", "zhou)(uid=*", "*)(|(uid=*", "zhou)(userPassword=*", "nobody", "", "zhou\0",
        "\\2a", "(", ")", "uid=zhou", "twin", "dazi", "x" * 5000, "周",
    ],
)  # fmt: skip
async def test_names_that_mean_nobody_or_several(slapd: Server, user: str) -> None:
    with pytest.raises(AccessError, match="wrong user name or password"):
        await sign_in(slapd, user)


async def test_a_name_with_signs_of_the_filter_is_a_name(slapd: Server) -> None:
    assert (await sign_in(slapd, "star*(x)")).user == "star*(x)"


async def test_unescaped_a_filter_would_find_somebody(
    slapd: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ldap_module, "escape_filter_chars", lambda text: text)
    assert (await sign_in(slapd, "zh*")).user == "zhou"


async def test_groups_that_nobody_mapped_give_no_role(slapd: Server) -> None:
    found = await sign_in(slapd, "star*(x)")
    assert found.roles == frozenset()
    assert (await sign_in(slapd, "zhou", roles={})).roles == frozenset()


async def test_certificates_are_checked(slapd: Server, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    for url in (f"ldaps://localhost:{slapd.secure}", f"ldap://localhost:{slapd.plain}"):
        for more in (
            {"url": url, "ca_file": str(tmp_path / "other.pem")},
            {"url": url, "ca_file": ""},
            {"url": url.replace("localhost", "127.0.0.1")},  # not the name in the certificate
        ):
            with pytest.raises(OperatorError, match="cannot be used"):
                await sign_in(slapd, "zhou", **more)


@pytest.mark.parametrize(
    "more",
    [
        {"url": "ldap://ldap.example", "plain": True},
        {"url": "ldap://10.0.0.8", "plain": True},
        {"url": "http://localhost"},
        {"url": "ldaps://"},
    ],
)
def test_no_password_in_the_clear(more: dict[str, Any]) -> None:
    given = {"url": "ldaps://x", **more}
    with pytest.raises(ConfigError):
        Ldap(LdapConfig("corp", base=BASE, bind_dn=SERVICE, bind_password="x", **given))


async def test_a_directory_that_is_down_or_says_no_is_the_operators_matter(slapd: Server) -> None:
    for more in (
        {"url": f"ldaps://localhost:{free()}"},
        {"url": "ldaps://169.254.169.254"},
        {"base": "dc=nowhere"},
        {"subject_attribute": "nosuch"},
    ):
        with pytest.raises(OperatorError) as caught:
            await sign_in(slapd, "zhou", **more)
        assert "service-word" not in str(caught.value) and WORD not in str(caught.value)
    broken = Ldap(
        LdapConfig(
            "corp", f"ldaps://localhost:{slapd.secure}", BASE, SERVICE, "wrong", str(slapd.ca)
        )
    )
    with pytest.raises(OperatorError, match="service account"):
        await broken.sign_in("zhou", WORD)


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldap_module, "ANSWER_S", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"ldap://127.0.0.1:{silent.getsockname()[1]}"
        ldap = Ldap(LdapConfig("corp", url, BASE, SERVICE, "x", plain=True))
        with pytest.raises(OperatorError):
            await ldap.sign_in("zhou", WORD)
        assert ldap._waiting == 0
        monkeypatch.setattr(ldap_module, "MOST_WAITING", 0)
        with pytest.raises(OverloadError):
            await ldap.sign_in("zhou", WORD)
        ldap.close()


async def test_the_whole_way_in(slapd: Server, office: Office) -> None:
    """No account, an account, a wrong password, a local account beside it."""
    way_in = SignIn(
        office.access.stores, directory(), SignInRules(), office.book.record, Ldap(config(slapd))
    )
    begun = await way_in.with_password(Attempt("zhou", WORD, "web", "10.0.0.1"))
    assert begun.session.complete and office.as_user("zhou").roles == {"staff"}
    assert office.as_user("zhou").attributes == {"employee_id": "E77", "department": "Sales"}
    for _ in range(5):
        with pytest.raises(AccessError, match="wrong user"):
            await way_in.with_password(Attempt("zhou", "Wrong-guess-1", "web", "10.0.0.1"))
    with pytest.raises(AccessError, match="too many"):
        await way_in.with_password(Attempt("zhou", WORD, "web", "10.0.0.1"))
    await office.access.stores.passwords.set("default", "li", WORD)
    assert (await way_in.with_password(Attempt("li", WORD, "web", ""))).session.user == "li"
    assert WORD not in str(office.book.rows)
