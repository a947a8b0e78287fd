// OpenAI's package for Node against the gateway: one scenario, told as one line of JSON.
import OpenAI from "openai";

const [base, scenario] = process.argv.slice(2);
const apiKey = process.env.DAZI_KEY ?? "dazi-demo-customer";
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey, maxRetries: 0 });
const said = (content) => [{ role: "user", content }];
const lookup = {
  type: "function",
  function: {
    name: "lookup_coupon",
    description: "Looks a coupon up",
    parameters: { type: "object", properties: { code: { type: "string" } } },
  },
};

const failed = async (work) => {
  try {
    await work();
    return { failed: false };
  } catch (error) {
    const after = error.headers?.get?.("retry-after") ?? null;
    return { kind: error.constructor.name, status: error.status, code: error.code, after };
  }
};

const scenarios = {
  async chat() {
    const made = await client.chat.completions.create({ model: "dazi", messages: said("ORD12345 到哪了?") });
    const { message, finish_reason } = made.choices[0];
    return { content: message.content, finish_reason, usage: made.usage, calls: made.dazi.calls.length };
  },
  async stream() {
    const options = { model: "dazi", messages: said("你好"), stream: true, stream_options: { include_usage: true } };
    const stream = await client.chat.completions.create(options);
    let content = "";
    let usage = null;
    for await (const chunk of stream) {
      content += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    return { content, usage };
  },
  async helper() {
    const runner = client.chat.completions.stream({ model: "dazi", messages: said("你好") });
    const whole = await runner.finalChatCompletion();
    return { content: whole.choices[0].message.content };
  },
  async tools() {
    const messages = said("优惠券 A1 还能用吗?");
    const first = await client.chat.completions.create({ model: "dazi", messages, tools: [lookup] });
    const { message, finish_reason } = first.choices[0];
    const [called] = message.tool_calls;
    messages.push(message, { role: "tool", tool_call_id: called.id, content: '{"valid": true}' });
    const second = await client.chat.completions.create({ model: "dazi", messages, tools: [lookup] });
    return { finish_reason, called: called.function, content: second.choices[0].message.content };
  },
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    return { names, one: (await client.models.retrieve("dazi")).id };
  },
  async embeddings() {
    const made = await client.embeddings.create({ model: "fake-embedding", input: ["一", "two"] });
    return { vectors: made.data.map((d) => d.embedding) };
  },
  async errors() {
    const wrong = new OpenAI({ baseURL: `${base}/v1`, apiKey: "wrong", maxRetries: 0 });
    const ask = (c, model, content) => c.chat.completions.create({ model, messages: said(content) });
    return {
      key: await failed(() => ask(wrong, "dazi", "你好")),
      model: await failed(() => ask(client, "gpt-4o", "你好")),
      empty: await failed(() => ask(client, "dazi", "")),
    };
  },
  async limit() {
    const ask = () => client.chat.completions.create({ model: "dazi", messages: said("你好") });
    await ask();
    return await failed(ask);
  },
  async abort() {
    const stream = await client.chat.completions.create({ model: "dazi", messages: said("你好"), stream: true });
    let heard = "";
    for await (const chunk of stream) {
      heard += chunk.choices[0]?.delta?.content ?? "";
      if (heard) stream.controller.abort();
    }
    return { heard };
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
