"""Look at the job at the provider: the task that the state machine repeats."""

from actionreel import bootstrap, jobs
from actionreel.models import VideoJob
from actionreel.observability import job_task


@job_task
def lambda_handler(job: VideoJob) -> VideoJob:
    return jobs.poll(job, bootstrap.services())
