"""English as the engine needs it: names of concepts, words and lemmas, facts as phrases, relations and places."""
