"""Ask the provider for a video: the first task of the state machine."""

from actionreel import bootstrap, jobs
from actionreel.models import VideoJob
from actionreel.observability import job_task


@job_task
def lambda_handler(job: VideoJob) -> VideoJob:
    return jobs.create(job, bootstrap.services())
