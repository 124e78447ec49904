"""How it is written: JSON, event streams, HTTP values, and the Gemini API's dialect. Pure."""
