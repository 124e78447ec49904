// Asks one question, and prints the answer or the error.
import { GoogleGenAI } from "@google/genai";

const print = (value) => console.log(JSON.stringify(value));
const ai = new GoogleGenAI({});
try {
  const answer = await ai.models.generateContent({ model: "gemini-2.5-flash", contents: process.argv[2] });
  print({ answer: answer.text });
} catch (error) {
  print({ status: error.status, message: error.message });
}
