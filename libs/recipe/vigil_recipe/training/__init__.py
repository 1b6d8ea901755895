"""Training on the Transformers `Trainer`: settings, data sets, model, objective, stages, validation."""
