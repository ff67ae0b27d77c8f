"""Keep the finished file: the last task of a story that went well."""

from actionreel import bootstrap, jobs
from actionreel.models import VideoJob
from actionreel.observability import job_task


@job_task
def lambda_handler(job: VideoJob) -> VideoJob:
    return jobs.store(job, bootstrap.services())
