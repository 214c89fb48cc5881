"""The API's routes, one module each: from a request to the service and back to an answer, for Lambda and the container alike."""
