"""The provisioning files tell Grafana what the README tells people."""

import yaml

from tests.dashboards.committed import ROOT

PROVISIONING = ROOT / "provisioning"


def read(name):
    return yaml.safe_load((PROVISIONING / name).read_text())


def test_the_data_source_does_not_become_the_default():
    content = read("datasources.yaml")
    [source] = content["datasources"]
    assert content["apiVersion"] == 1 and source["type"] == "prometheus" and source["isDefault"] is False
    assert source["url"].startswith("http://") and source["jsonData"]["timeInterval"]


def test_the_dashboards_come_from_one_folder_and_cannot_be_changed_by_hand():
    content = read("dashboards.yaml")
    [provider] = content["providers"]
    assert content["apiVersion"] == 1 and provider["type"] == "file" and provider["allowUiUpdates"] is False
    assert provider["options"]["path"] in (ROOT / "README.md").read_text()


def test_the_readme_names_each_file_and_where_it_goes():
    text = (ROOT / "README.md").read_text()
    for path in PROVISIONING.iterdir():
        assert f"provisioning/{path.name}" in text
        assert f"/etc/grafana/provisioning/{path.stem}/pgconn.yaml" in text and (
            f"/etc/grafana/provisioning/{path.stem}/pgconn.yaml" in path.read_text())
