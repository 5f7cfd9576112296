"""What each command does, told in the docstring of its module.

A workflow joins the rooms below: it takes settings and returns an outcome. It prints nothing.
"""

__all__ = (
    "check",
    "doctor",
    "exec",
    "explanation",
    "fetch",
    "mirror",
    "package_survey",
    "packages_job",
    "rehearse",
    "survey",
    "update",
    "update_job",
)
