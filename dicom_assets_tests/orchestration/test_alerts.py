"""Alerts reach a webhook: a real server on loopback, which takes them, refuses them, or is gone."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest

from dicom_assets.errors import UserError
from dicom_assets.orchestration.alerts import AlertError, WebhookError, build_webhook_alert
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried


class Webhook:
    """Keeps what is posted to it."""

    def __init__(self):
        self.posted, self.answer = [], 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = hook.answer
                if answer == 200:
                    hook.posted.append(json.loads(body))
                self.send_response(answer)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token-of-the-hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def webhook():
    webhook = Webhook()
    yield webhook
    webhook.stop()


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["Smith^John"]))
def table(context: dg.AssetExecutionContext) -> None:
    with only_infrastructure_is_retried(context):
        raise UserError("the folder of Smith^John is not one")


@dg.asset_check(asset=table)
def is_whole():
    return dg.AssetCheckResult(passed=True)


CHECK = dg.AssetCheckKey(dg.AssetKey("table"), "is_whole")


class Alerting:
    """Ticks of the sensor."""

    def __init__(self, instance, url, **options):
        alerts = build_webhook_alert(url, **options)
        self.definitions = dg.Definitions.merge(dg.Definitions(assets=[table], asset_checks=[is_whole]), alerts)
        self.instance, self.cursor = instance, None
        self.sensor = self.definitions.resolve_sensor_def("webhook_alert")

    def tick(self):
        context = dg.build_sensor_context(
            self.instance, cursor=self.cursor, repository_def=self.definitions.get_repository_def()
        )
        self.cursor = self.sensor(context).cursor

    def run(self):
        job = self.definitions.resolve_implicit_global_asset_job_def()
        job.execute_in_process(
            instance=self.instance, raise_on_error=False, partition_key="Smith^John", asset_selection=[table.key]
        )

    def check(self, *, passed, severity=dg.AssetCheckSeverity.ERROR):
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=CHECK.asset_key,
                check_name=CHECK.name,
                passed=passed,
                metadata={},
                severity=severity,
                description="of Smith",
            )
        )


@pytest.fixture
def alerting(instance, webhook):
    alerting = Alerting(instance, webhook.url)
    alerting.tick()
    return alerting


def test_a_run_that_fails_is_told_once_and_without_patients(alerting, webhook):
    alerting.run()
    for _ in range(3):
        alerting.tick()
    (alert,) = webhook.posted
    assert alert["kind"] == "run failed"
    assert alert["steps"] == {"table": "UserError"}
    assert "failed in table (UserError)." in alert["text"]
    assert alert["run_id"]
    assert "Smith" not in json.dumps(alert)


def test_details_are_told_when_asked_for(instance, webhook):
    alerting = Alerting(instance, webhook.url, details=True)
    alerting.tick()
    alerting.run()
    alerting.check(passed=False)
    alerting.tick()
    run, check = webhook.posted
    assert run["details"] == "table: the folder of Smith^John is not one"
    assert check["details"] == "of Smith"


def test_a_check_that_fails_is_told_when_it_is_an_error(alerting, webhook):
    alerting.check(passed=True)
    alerting.check(passed=False, severity=dg.AssetCheckSeverity.WARN)
    alerting.tick()
    assert webhook.posted == []
    alerting.check(passed=False)
    alerting.tick()
    alerting.tick()
    (alert,) = webhook.posted
    assert (alert["kind"], alert["text"]) == ("check failed", "Check table: is_whole failed.")
    assert alert["details"] == ""


def test_what_failed_before_the_sensor_was_there_is_no_news(instance, webhook):
    alerting = Alerting(instance, webhook.url)
    alerting.run()
    alerting.check(passed=False)
    alerting.tick()
    assert webhook.posted == []


def test_an_alert_that_is_not_taken_fails_the_tick_and_comes_later(alerting, webhook):
    alerting.run()
    webhook.answer = 503
    for _ in range(2):
        with pytest.raises(AlertError, match=r"did not take an alert: 503$") as caught:
            alerting.tick()
        assert "token-of-the-hook" not in str(caught.value)
    webhook.answer = 200
    alerting.tick()
    alerting.tick()
    assert len(webhook.posted) == 1


def test_what_was_taken_is_not_told_again_though_the_next_is_refused(alerting, webhook, monkeypatch):
    alerting.run()
    alerting.check(passed=False)
    taken = []

    def append_once(alert):
        taken.append(alert)
        webhook.answer = 500

    monkeypatch.setattr(webhook, "posted", type("Posted", (), {"append": staticmethod(append_once)})())
    alerting.tick()
    assert [alert["kind"] for alert in taken] == ["run failed"]
    webhook.answer = 200
    alerting.tick()
    assert [alert["kind"] for alert in taken] == ["run failed", "check failed"]


def test_a_webhook_that_is_gone_fails_the_tick(instance):
    webhook = Webhook()
    alerting = Alerting(instance, webhook.url)
    alerting.tick()
    webhook.stop()
    alerting.run()
    with pytest.raises(AlertError, match="refused"):
        alerting.tick()


@pytest.mark.parametrize("value", ["", "file:///etc/passwd", "hooks.example/1"])
def test_what_is_no_address_is_refused_with_the_name_of_its_variable(instance, monkeypatch, value):
    monkeypatch.setenv("ALERT_URL", value)
    alerting = Alerting(instance, dg.EnvVar("ALERT_URL"))
    alerting.tick()
    alerting.run()
    with pytest.raises(WebhookError, match="the variable ALERT_URL is to be a URL"):
        alerting.tick()
