"""Find out what became of a request that the provider did not answer."""

from actionreel import bootstrap, reconciliation
from actionreel.models import VideoJob
from actionreel.observability import job_task


@job_task
def lambda_handler(job: VideoJob) -> VideoJob:
    return reconciliation.reconcile(job, bootstrap.services())
