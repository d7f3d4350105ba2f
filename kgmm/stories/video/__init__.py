"""From films to story graphs: decoding, shots, keyframes, newslogos, subtitles, sound, faces."""
