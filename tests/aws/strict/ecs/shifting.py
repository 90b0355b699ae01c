"""Deployments that move requests: their stages, hooks, weights, and what such services must have.

developerguide/deployment-type-blue-green.html, .../canary-deployment.html, .../linear-deployment.html,
.../deployment-lifecycle-hooks.html; API_ContinueServiceDeployment.html.
"""

import uuid

from .. import iam, targets
from ..errors import AwsError
from .checks import allows
from .state import Ecs, invalid

STAGES = (
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)
# DescribeServiceDeployments has no word for this one, though hooks do.
UNNAMED = {"PRE_PRODUCTION_TRAFFIC_SHIFT": "POST_TEST_TRAFFIC_SHIFT"}


class Course:
    """One deployment on its way through the stages.  A stage's hooks come first, then what the stage is for."""

    def __init__(self, deployment):
        self.deployment, self.service = deployment, deployment.service
        self.world = self.service.ecs.world
        self.configuration = self.service.config["deploymentConfiguration"]
        self.stage = None
        self.production = self.tests = 0.0
        self.hooks: list[dict] = []

    # -- from stage to stage ----------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        deployment = self.deployment
        return deployment.status == "PRIMARY" and deployment.record.status == "IN_PROGRESS"

    def enter(self, stage: str) -> None:
        if not self.alive:
            return
        self.stage = stage
        self.deployment.record.stage = UNNAMED.get(stage, stage)
        self.hooks = [self.asked(hook) for hook in self.configuration.get("lifecycleHooks", []) if stage in hook["lifecycleStages"]]
        self.pass_hooks()

    def asked(self, hook: dict) -> dict:
        timeout = hook.get("timeoutConfiguration") or {}
        minutes = timeout.get("timeoutInMinutes", 1440)
        lasts = minutes * self.world.settings["deployment-minute"]
        kind = hook.get("targetType", "AWS_LAMBDA")
        told = {
            "hookId": str(uuid.uuid4()),
            "targetType": kind,
            "status": "AWAITING_ACTION" if kind == "PAUSE" else "IN_PROGRESS",
            # As the caller counts, a minute is a minute.
            "expiresAt": self.world.now + 60 * minutes,
            "timeoutAction": timeout.get("action", "ROLLBACK"),
        }
        if kind == "PAUSE":
            self.world.after(lasts, lambda: self.run_out(told))
        else:
            told["targetArn"] = hook["hookTargetArn"]
            # A function whose name says so has found something.
            ends = "FAILED" if "bad" in hook["hookTargetArn"] else "SUCCEEDED"
            if not callable_by_ecs(self.service.ecs, hook["roleArn"]):
                ends = "FAILED"
            self.world.after(0.05, lambda: self.answered(told, ends))
        return told

    def run_out(self, hook: dict) -> None:
        if self.alive and hook in self.hooks and hook["status"] == "AWAITING_ACTION":
            hook["status"] = "TIMED_OUT"
            if hook["timeoutAction"] == "ROLLBACK":
                return self.give_up("Service deployment rolled back because a lifecycle hook timed out.")
            self.pass_hooks()

    def answered(self, hook: dict, status: str) -> None:
        if not self.alive or hook not in self.hooks:
            return
        hook["status"] = status
        if status == "FAILED":
            return self.give_up(f"Service deployment rolled back because the lifecycle hook {hook.get('targetArn')} failed.")
        self.pass_hooks()

    def resolve(self, hook_id: str, action: str) -> None:
        """ContinueServiceDeployment."""
        waiting = [h for h in self.hooks if h["hookId"] == hook_id and h["status"] == "AWAITING_ACTION"]
        if not self.alive or not waiting:
            raise invalid("The lifecycle hook is not awaiting an action.")
        waiting[0]["status"] = "SUCCEEDED" if action == "CONTINUE" else "FAILED"
        if action == "ROLLBACK":
            return self.give_up("Service deployment rolled back because of a ContinueServiceDeployment request.")
        self.pass_hooks()

    def pass_hooks(self) -> None:
        if all(hook["status"] in ("SUCCEEDED", "TIMED_OUT") for hook in self.hooks):
            getattr(self, "do_" + self.stage.lower())()

    def next(self) -> None:
        self.enter(STAGES[STAGES.index(self.stage) + 1])

    def after(self, minutes: float, event) -> None:
        """What comes when so many minutes have passed, if nothing has happened to the deployment meanwhile."""
        stage = self.stage
        lasts = minutes * self.world.settings["deployment-minute"]
        self.world.after(max(lasts, 0.01), lambda: event() if self.alive and self.stage == stage else None)

    def give_up(self, reason: str) -> None:
        self.deployment.rollout = "FAILED"
        self.deployment.reason = f"ECS deployment {self.deployment.id} failed."
        self.service.event(f"(deployment {self.deployment.id}) deployment failed: {reason}")
        self.service.give_up(self.deployment, reason)

    # -- what each stage is for -------------------------------------------------------------------

    def do_pre_scale_up(self) -> None:
        self.next()

    def do_scale_up(self) -> None:
        self.service.reconcile()

    def scaled(self) -> None:
        """All new tasks are healthy."""
        if self.stage == "SCALE_UP":
            self.next()

    def do_post_scale_up(self) -> None:
        self.next()

    def do_test_traffic_shift(self) -> None:
        self.tests = 100.0
        self.service.lead(self.deployment, "testListenerRule", 100.0)
        self.after(0, self.next)

    def do_post_test_traffic_shift(self) -> None:
        self.next()

    def do_pre_production_traffic_shift(self) -> None:
        self.next()

    def do_production_traffic_shift(self) -> None:
        strategy, steps = self.configuration["strategy"], [(100.0, 0)]
        if strategy == "CANARY":
            canary = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10} | self.configuration.get("canaryConfiguration", {})
            steps.insert(0, (canary["canaryPercent"], canary["canaryBakeTimeInMinutes"]))
        if strategy == "LINEAR":
            linear = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6} | self.configuration.get("linearConfiguration", {})
            share, each = linear["stepPercent"], linear["stepPercent"]
            first = []
            while share < 100:
                first.append((share, linear["stepBakeTimeInMinutes"]))
                share += each
            steps = first + steps
        self.step(steps)

    def step(self, steps: list) -> None:
        (share, minutes), rest = steps[0], steps[1:]
        self.production = share
        self.service.lead(self.deployment, "productionListenerRule", share)
        self.after(minutes, lambda: self.step(rest) if rest else self.next())

    def do_post_production_traffic_shift(self) -> None:
        self.next()

    def do_bake_time(self) -> None:
        self.after(self.configuration.get("bakeTimeInMinutes", 0), self.next)

    def do_clean_up(self) -> None:
        self.service.shift(self.deployment)


# -- what such services must have -----------------------------------------------------------------------


def callable_by_ecs(ecs: Ecs, role: str) -> bool:
    return iam.assumable_by(ecs.world, role, "ecs.amazonaws.com") and allows(ecs, role, "lambda:InvokeFunction")


def rule_named(ecs: Ecs, arn: str | None):
    """The rule with this ARN, or the default rule of the listener with it."""
    for balancer in targets.backend_of(ecs.account, ecs.region).load_balancers.values():
        for listener in balancer.listeners.values():
            for rule in listener.rules.values():
                if arn and arn in (rule.arn, listener.arn if rule.is_default else None):
                    return rule
    return None


def check(ecs: Ecs, config: dict) -> None:
    """What CreateService and UpdateService refuse."""
    deployment = config["deploymentConfiguration"]
    strategy, hooks = deployment.get("strategy", "ROLLING"), deployment.get("lifecycleHooks", [])
    alarms = deployment.get("alarms")
    if alarms and alarms["enable"] and not alarms["alarmNames"]:
        raise invalid("Alarm names cannot be empty when deployment alarms are enabled.")
    if strategy == "ROLLING":
        if hooks:
            raise invalid("Lifecycle hooks are not supported with the ROLLING deployment strategy.")
        return
    if config["deploymentController"]["type"] != "ECS":
        raise invalid(f"The deployment strategy {strategy} is only supported with the ECS deployment controller.")
    if config["schedulingStrategy"] == "DAEMON" or config.get("launchType") == "EXTERNAL":
        raise invalid(f"The deployment strategy {strategy} is not supported for this service.")
    if (deployment.get("deploymentCircuitBreaker") or {}).get("enable"):
        raise invalid(f"The deployment circuit breaker is not supported with the deployment strategy {strategy}.")
    check_times(strategy, deployment)
    balancers = config.get("loadBalancers", [])
    if strategy != "BLUE_GREEN" and not balancers and not config.get("serviceConnectConfiguration"):
        raise invalid(f"The deployment strategy {strategy} requires a load balancer or Service Connect.")
    for balancer in balancers:
        check_balancer(ecs, balancer)
    for hook in hooks:
        check_hook(ecs, hook)


def check_times(strategy: str, deployment: dict) -> None:
    if strategy == "BLUE_GREEN" and "bakeTimeInMinutes" not in deployment:
        raise invalid("bakeTimeInMinutes must be specified with the deployment strategy BLUE_GREEN.")
    if not 0 <= deployment.get("bakeTimeInMinutes", 0) <= 1440:
        raise invalid("bakeTimeInMinutes must be between 0 and 1440.")
    canary, linear = deployment.get("canaryConfiguration") or {}, deployment.get("linearConfiguration") or {}
    shares = [(canary.get("canaryPercent", 5), 0.1), (linear.get("stepPercent", 10), 3.0)]
    for share, least in shares:
        if not least <= share <= 100 or abs(share * 10 - round(share * 10)) > 1e-6:
            raise invalid(f"The percentage must be a multiple of 0.1 between {least} and 100.")
    for minutes in (canary.get("canaryBakeTimeInMinutes", 0), linear.get("stepBakeTimeInMinutes", 0)):
        if not 0 <= minutes <= 1440:
            raise invalid("The bake time must be between 0 and 1440 minutes.")


def check_balancer(ecs: Ecs, balancer: dict) -> None:
    advanced = balancer.get("advancedConfiguration") or {}
    for member in ("alternateTargetGroupArn", "productionListenerRule", "roleArn"):
        if not advanced.get(member):
            raise invalid(f"advancedConfiguration.{member} must be specified for this deployment strategy.")
    pair = {balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]}
    if len(pair) == 1:
        raise invalid("The alternate target group must be another than the target group.")
    for member in ("productionListenerRule", "testListenerRule"):
        if not advanced.get(member):
            continue
        rule = rule_named(ecs, advanced[member])
        if rule is None:
            raise invalid(f"The specified listener rule {advanced[member]} does not exist.")
        forwarded = {arn for action in rule.actions for arn in targets.forwarded_to(action.data)}
        if not forwarded & pair:
            raise invalid(f"The listener rule {advanced[member]} does not forward to the target groups of the service.")
    role = advanced["roleArn"]
    if not iam.assumable_by(ecs.world, role, "ecs.amazonaws.com"):
        raise invalid(
            "Unable to assume role and validate the specified targetGroupArn. "
            "Please verify that the ECS service role being passed has the proper permissions."
        )
    if not allows(ecs, role, "elasticloadbalancing:ModifyRule"):
        raise invalid(f"The role {role} is not authorized to perform: elasticloadbalancing:ModifyRule")


def check_hook(ecs: Ecs, hook: dict) -> None:
    if not hook.get("lifecycleStages"):
        raise invalid("A lifecycle hook must specify at least one lifecycle stage.")
    minutes = (hook.get("timeoutConfiguration") or {}).get("timeoutInMinutes", 1440)
    if not 1 <= minutes <= 20160:
        raise invalid("timeoutInMinutes must be between 1 and 20160.")
    given = [member for member in ("hookTargetArn", "roleArn") if hook.get(member)]
    if hook.get("targetType", "AWS_LAMBDA") == "PAUSE":
        if given:
            raise invalid("A PAUSE hook cannot specify a hook target or role.")
    elif len(given) < 2:
        raise invalid("An AWS_LAMBDA hook must specify a hook target and role.")
    elif not iam.assumable_by(ecs.world, hook["roleArn"], "ecs.amazonaws.com"):
        raise invalid("Unable to assume role. Please verify that the ECS service role being passed has the proper permissions.")


def continue_service_deployment(ecs: Ecs, params: dict) -> dict:
    arn = params["serviceDeploymentArn"]
    for service in ecs.services.values():
        for deployment in service.history:
            if deployment.record.arn == arn:
                if deployment.course is None:
                    raise invalid("The lifecycle hook is not awaiting an action.")
                deployment.course.resolve(params["hookId"], params.get("action", "CONTINUE"))
                return {"serviceDeploymentArn": arn}
    raise AwsError("ServiceDeploymentNotFoundException", "The service deployment doesn't exist.")
