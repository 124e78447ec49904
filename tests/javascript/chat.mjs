// A program over @google/genai, which knows nothing of recording: its server and its key come from the environment.
// It prints a line of JSON for each thing that happened.
import { ApiError, GoogleGenAI } from "@google/genai";

const print = (value) => console.log(JSON.stringify(value));
const ai = new GoogleGenAI({});
const model = "gemini-2.5-flash";

// A chat of two turns; the second one is streamed.
const chat = ai.chats.create({ model });
print({ answer: (await chat.sendMessage({ message: "What is the capital of France?" })).text });
const chunks = [];
for await (const chunk of await chat.sendMessageStream({ message: "Tell me about it." })) {
  chunks.push(chunk.text);
}
print({ chunks, turns: chat.getHistory().length });

// A function call, answered by the program.
const tools = [
  {
    functionDeclarations: [
      {
        name: "weather",
        description: "The weather in a city.",
        parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    ],
  },
];
const functions = ai.chats.create({ model, config: { tools } });
const asked = await functions.sendMessage({ message: "What is the weather in Paris?" });
const call = asked.functionCalls[0];
const told = await functions.sendMessage({
  message: [{ functionResponse: { id: call.id, name: call.name, response: { degrees: 21 } } }],
});
print({ call: [call.name, call.args], answer: told.text });

// An error of the API.
try {
  await ai.models.generateContent({ model, contents: "Too much." });
} catch (error) {
  print({ error: error instanceof ApiError, status: error.status, message: error.message });
}
