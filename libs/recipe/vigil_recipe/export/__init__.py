"""A trained checkpoint made ready for serving: weights, model card, and the check against a served engine."""
