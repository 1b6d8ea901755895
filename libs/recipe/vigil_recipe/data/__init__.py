"""Records of annotated videos: checked, streamed, and written out second by second (paper, appendix 7.1).

A record says which video it is, what the user asks when, and what is to be answered when:
``{"video_path": …, "question": [{"content": …, "time": …}], "response": [{"content": …, "time": …}]}``.
"""
