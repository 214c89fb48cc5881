"""A new environment's page: written whole and right, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ops import new_environment
from ops.new_environment import Made, make
from ops.validation import validate
from shared import page as pages
from shared.environment import environment_of
from shared.page import PageError
from tests.ops.pages import Pages


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    """The committed pages, copied with their comments."""
    texts = {path.name: path.read_text() for path in pages.ENVIRONMENTS.glob("Pulumi.*.yaml")}
    made = Pages(tmp_path, monkeypatch)
    for name, text in texts.items():
        (made.folder / name).write_text(text)
    return made


def refused(name: str, source: str, *settings: str) -> str:
    before = sorted(path.name for path in pages.ENVIRONMENTS.iterdir())
    with pytest.raises(PageError) as caught:
        make(name, source, settings)
    assert sorted(path.name for path in pages.ENVIRONMENTS.iterdir()) == before, "something was written"
    return str(caught.value)


@pytest.mark.parametrize("source", pages.names())
def test_any_page_makes_an_environment_of_another_blueprint(source: str) -> None:
    stage = environment_of(pages.read(source)).platform.stage
    made = make(f"new-{stage}", source)
    assert made.file == pages.ENVIRONMENTS / f"Pulumi.new-{stage}.yaml"
    assert validate([f"new-{stage}"]) == []
    environment, old = environment_of(pages.read(f"new-{stage}")), environment_of(pages.read(source))
    assert environment.names("queue") != old.names("queue")
    assert (environment.shape, environment.region, environment.platform.stage) == (old.shape, old.region, stage)


def test_a_family_grows_by_an_environment_with_the_next_range() -> None:
    made = make("pci-staging", "pci-prod", ["platform:tags.CostCenter=payments-staging"])
    assert made.chosen == {
        "platform:stage": "staging",
        "platform:environmentSuffix": "pci",
        "networking:vpc.cidr": "10.2.0.0/16",
        "platform:tags.CostCenter": "payments-staging",
        "app:api.accountLogging": "False",
    }
    told = "app:api.accountLogging is false: API Gateway logs with the role that environments/Pulumi.pci-prod.yaml sets; deploy that one before, "
    assert f"{told}and destroy it after" in made.remarks
    assert validate(["pci-staging", "pci-prod", "pci-dev"]) == []
    assert environment_of(pages.read("pci-staging")).tags["CostCenter"] == "payments-staging"


def test_in_an_account_of_its_own_an_environment_sets_the_logging_role() -> None:
    made = make("pci-staging", "pci-prod", ['aws:allowedAccountIds=["456789012345"]'])
    assert "app:api.accountLogging" not in made.chosen
    assert "accountLogging" not in pages.read("pci-staging").config["app:api"]


def test_a_range_that_is_free_in_the_family_is_kept() -> None:
    assert make("acme-prod", "pci-prod").chosen["networking:vpc.cidr"] == "10.1.0.0/16"
    assert make("acme-dev", "pci-prod").chosen["networking:vpc.cidr"] == "10.2.0.0/16"


def test_the_search_for_a_range_goes_on_at_the_beginning(own: Pages) -> None:
    own.change("pci-prod", {"networking:vpc.cidr": "10.255.0.0/16"})
    assert make("pci-staging", "pci-prod").chosen["networking:vpc.cidr"] == "10.1.0.0/16"


def test_without_a_stage_in_the_names_the_suffix_has_it() -> None:
    assert make("acme-prod", "containers-dev").chosen["platform:environmentSuffix"] == "acme-prod"
    assert make("acme-dev", "aurora-dev").chosen["platform:environmentSuffix"] == "acme"


def test_comments_stay_and_the_first_says_where_the_page_is_from() -> None:
    text = make("acme-prod", "prod").file.read_text()
    first, *rest = text.splitlines()
    assert first.startswith("# acme-prod: made from environments/Pulumi.prod.yaml; what differs from it: platform:stage, ")
    assert "  # Takes nobody's money. For Stripe: name: stripe, and secretArn, the secret that holds its API key." in rest


def test_values_are_yaml_and_none_takes_the_key_away() -> None:
    page = make("acme-prod", "prod", ["networking:endpoints.interface=[kms, logs]", "app:api.domain=", "data:database.multiAz=true"])
    config = yaml.safe_load(page.file.read_text())["config"]
    assert config["networking:endpoints"]["interface"] == ["kms", "logs"]
    assert "domain" not in config["app:api"]
    assert page.chosen["app:api.domain"] == "taken away"


@pytest.mark.parametrize("name", ["acme", "acme-qa", "Acme-dev", "acme_dev", "-dev", "acme--dev", "1-dev", "dev-acme", "", "../dev", "acme-dev.yaml"])
def test_a_name_is_a_blueprint_and_a_stage(name: str) -> None:
    assert "an environment is called [<blueprint>-]<stage>" in refused(name, "dev")


@pytest.mark.parametrize(
    ("name", "source", "settings", "told"),
    [
        ("pci-dev", "dev", [], "environments/Pulumi.pci-dev.yaml: (file): there is such a page already"),
        ("acme-dev", "qa", [], "environments/Pulumi.qa.yaml: (file): there is no such page; environments are "),
        ("dev-prod", "prod", [], "its stacks could be those of a copy: `--env dev --suffix prod` makes dev-prod"),
        ("acme-dev", "dev", ["networking:vpc.cidr"], "networking:vpc.cidr: is not KEY=VALUE"),
        ("acme-dev", "dev", ["networking:vpc.cidr=[1"], "is not YAML"),
        ("acme-dev", "dev", ["cidr=10.0.0.0/16"], '--set: cidr = "10.0.0.0/16": a key is <namespace>:<section>'),
        ("acme-dev", "dev", ["data:cache="], "--set: data:cache = null: the page has none to take away"),
        ("acme-dev", "dev", ["aws:region.zone=a"], "aws:region has no members"),
        ("acme-dev", "dev", ["data:databse.kind=rds"], "environments/Pulumi.acme-dev.yaml: data:databse"),
        ("acme-dev", "dev", ["app:functions.memory=1"], "environments/Pulumi.acme-dev.yaml: app:functions.memory = 1: "),
        ("acme-dev", "dev", ["platform:environmentSuffix=Acme"], 'platform:environmentSuffix = "Acme": must be lower-case'),
        ("longer-staging", "containers-staging", [], 'platform:environmentSuffix = "longer-staging": is 3 characters too long'),
        ("pci-staging", "pci-dev", ["networking:vpc.cidr=10.1.0.0/17"], "overlaps 10.1.0.0/16 of environments/Pulumi.pci-prod.yaml"),
        ("pci-staging", "pci-prod", ["app:api.accountLogging=true"], "app:api.accountLogging = true: environments/Pulumi.pci-prod.yaml sets"),
        ("acme-dev", "dev", ["platform:environmentSuffix=main"], "makes the names of environments/Pulumi.dev.yaml in the same account"),
    ],
)
def test_what_would_not_be_right_is_refused_and_not_written(name: str, source: str, settings: list[str], told: str) -> None:
    assert told in refused(name, source, *settings)


def test_a_source_that_is_not_right_makes_nothing(own: Pages) -> None:
    own.change("dev", {"app:functions.memory": 1})
    assert "environments/Pulumi.dev.yaml: app:functions.memory = 1" in refused("acme-dev", "dev")


def test_a_family_without_any_range_left_says_so(own: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    own.change("pci-prod", {"networking:vpc.cidr": "192.168.0.0/16"})
    assert "the family's environments take all of 192.168.0.0/16" in refused("pci-staging", "pci-prod")


def test_two_at_once_do_not_overwrite_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    check = new_environment.problems_beside

    def meanwhile(page: pages.Page) -> list[pages.Problem]:
        (pages.ENVIRONMENTS / "Pulumi.acme-dev.yaml").write_text("config: {}\n")
        return check(page)

    monkeypatch.setattr(new_environment, "problems_beside", meanwhile)
    with pytest.raises(PageError, match="there is such a page already"):
        make("acme-dev", "dev")
    assert (pages.ENVIRONMENTS / "Pulumi.acme-dev.yaml").read_text() == "config: {}\n"
    assert list(pages.ENVIRONMENTS.glob(".Pulumi*")) == []


def test_what_two_environments_cannot_share_is_said() -> None:
    made: Made = make("acme-prod", "prod")
    assert made.remarks == [
        "app:api.domain.name is payments.example.com, as in environments/Pulumi.prod.yaml: a domain leads to one environment",
        "aws:allowedAccountIds is 345678901234, as in environments/Pulumi.prod.yaml",
    ]
    assert make("acme-dev", "dev", ['aws:allowedAccountIds=["456789012345"]']).remarks == []
