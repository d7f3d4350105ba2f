"""The graph network: a trained folder with its encoder, which scores the choices of questions by their joint graphs."""
