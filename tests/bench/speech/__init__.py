"""`make bench BENCH=speech`: how well and how soon a session hears, and how soon it answers aloud.

    voices, sounds ─► microphone ─► bus ─► asr ─► question ─► turn ─► answer ─► tts ─► bus ─► listener

Synthetic voices speak sentences into a microphone that plays in real time; a listener notes what came of
them, and when.
"""
