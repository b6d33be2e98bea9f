def stop_everything(deployment, target_version):
    deployment.stop_components(["server", "task-worker"])


def upgrade(deployment, target_version):
    deployment.upgrade_deployment_version(target_version)


def migrate(deployment, target_version):
    deployment.execute_commands("server", [["wiki", "migrate"]])
    deployment.start_components(["server", "task-worker"])


def first_user(deployment, target_version):
    deployment.execute_commands("server", [["wiki", "createadmin"]])
