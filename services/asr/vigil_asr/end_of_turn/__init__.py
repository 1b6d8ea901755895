"""Whether a speaker who pauses has finished: a judge that is asked, and never waited for."""
