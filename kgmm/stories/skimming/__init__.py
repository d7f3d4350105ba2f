"""Films summarized by what is seen and said in them, half second by half second: what is asked, and how it is judged."""
