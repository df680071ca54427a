// Prometheus's HTTP API, to which the server of this page forwards.

type Parameters = Record<string, string | number>;

let open = 0;

/** How many requests have no answer yet. */
export const openRequests = () => open;

async function request<T>(path: string, options?: RequestInit): Promise<T> {
  open++;
  try {
    const answer = await fetch(`/prometheus/api/v1/${path}`, options);
    const { status, data, error } = await answer.json();
    if (status !== 'success') {
      throw new Error(error ?? `Prometheus answered ${answer.status}`);
    }
    return data;
  } finally {
    open--;
  }
}

const encode = (parameters: Parameters) =>
  new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));

export const get = <T>(path: string, parameters: Parameters) => request<T>(`${path}?${encode(parameters)}`);

/** For queries, which may be longer than an address may be. */
export const post = <T>(path: string, parameters: Parameters) => request<T>(path, { method: 'POST', body: encode(parameters) });
