"""Episodes as pixels: JPEG frames as serving sees them, clips on disk, a camera as a video file."""
