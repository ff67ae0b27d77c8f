// What the window asks of the server that it came from.

/** A request that gave no usable answer; `status` is 0 when nobody answered. */
export class Trouble extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status;
  }
}

/** The answer and its body, which is missing if nothing has changed; raises Trouble. */
export async function ask(path, options = {}, patience = 60) {
  let answer;
  try {
    const signal = AbortSignal.timeout(patience * 1000);
    answer = await fetch(path, { cache: "no-store", signal, ...options });
    if (answer.status === 304) return { answer };
    const body = await answer.json();
    if (answer.ok) return { answer, body };
    throw new Trouble(body.error, answer.status);
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble(answer ? `Actionreel gave no usable answer (status ${answer.status}).`
      : "Actionreel has stopped.", answer?.status);
  }
}

export const post = (path, body) => ask(path, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
