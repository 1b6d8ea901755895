"""The engines that turn speech into text. All are the same to the service: `port.Recognizer`."""
