import { handled, handlers, type RequestContext, type RequestInterceptor } from '../broker/index.ts'
import { type Clock, sleep } from '../platform/index.ts'
import { ErrorCode, type ErrorName, KafkaError } from '../protocol/index.ts'

/** A request as a {@link RequestControl} sees it. */
export interface ControlledRequest {
  /** Name of the API: `Produce`, `Fetch`, ... */
  readonly api: string
  readonly version: number
  readonly clientId: string
  /** The decoded request, with Kafka's field names. Its bytes are the broker's: copy what you keep. */
  readonly body: Readonly<Record<string, unknown>>
  /** Lets the broker do what is asked; resolves to its response, undefined where there is none. */
  proceed(): Promise<object | undefined>
}

/**
 * Decides about a request: returns a response, `proceed()`'s or one of its own; `'disconnect'` to close the connection
 * instead; or throws a `KafkaError`, which becomes the error response of the API. Undefined lets the request go on.
 */
export type RequestControl = (
  request: ControlledRequest,
) => object | 'disconnect' | undefined | Promise<object | 'disconnect' | undefined>

/** How often a control is asked. */
export interface ControlOptions {
  /** Requests until it is forgotten; default no limit. */
  readonly times?: number
}

interface Control {
  readonly decide: RequestControl
  left: number
}

const APIS: ReadonlySet<string> = new Set(handlers.map(({ name }) => name))

/** Who decides about which requests. The control that was added last is asked first, and is the only one asked. */
export class FaultTable {
  readonly #controls = new Map<string, Control[]>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Asks `decide` about each request of an API; disposing of what is returned ends that.
   * @throws RangeError for an API that the broker does not have: nothing would ever be asked
   */
  control(api: string, decide: RequestControl, { times = Number.POSITIVE_INFINITY }: ControlOptions = {}): Disposable {
    if (!APIS.has(api)) throw new RangeError(`no API is named ${api}; there are ${[...APIS].join(', ')}`)
    const control = { decide, left: times }
    this.#controls.set(api, [...(this.#controls.get(api) ?? []), control])
    return { [Symbol.dispose]: () => this.#remove(api, control) }
  }

  failNext(api: string, code: ErrorName, { times = 1 }: ControlOptions = {}): Disposable {
    if (!(code in ErrorCode))
      throw new RangeError(`no error of Kafka is named ${code}; docs/reference/errors.md has all`)
    const decide: RequestControl = () => {
      throw new KafkaError(code, `${api} was told to fail`)
    }
    return this.control(api, decide, { times })
  }

  delay(api: string, delayMs: number, options: ControlOptions = {}): Disposable {
    return this.control(api, () => sleep(this.#clock, delayMs).then(() => undefined), options)
  }

  disconnectNext(api: string, { times = 1 }: ControlOptions = {}): Disposable {
    return this.control(api, () => 'disconnect', { times })
  }

  /** Forgets every control. */
  clear(): void {
    this.#controls.clear()
  }

  readonly interceptor: RequestInterceptor = (handler, request, context) => {
    const control = this.#controls.get(handler.name)?.at(-1)
    if (control === undefined) return handled(handler, request, context)
    control.left -= 1
    if (control.left <= 0) this.#remove(handler.name, control)
    const proceed = async (): Promise<object | undefined> => handled(handler, request, context)
    const { apiVersion: version, clientId } = context
    return decided(control.decide, { api: handler.name, version, clientId, body: request, proceed }, context)
  }

  #remove(api: string, control: Control): void {
    const left = (this.#controls.get(api) ?? []).filter(other => other !== control)
    if (left.length > 0) this.#controls.set(api, left)
    else this.#controls.delete(api)
  }
}

async function decided(
  decide: RequestControl,
  request: ControlledRequest,
  context: RequestContext,
): Promise<object | undefined> {
  let wasPassedOn = false
  const proceed = (): Promise<object | undefined> => {
    wasPassedOn = true
    return request.proceed()
  }
  const decision = await decide({ ...request, proceed })
  if (decision === 'disconnect') {
    context.connection.close()
    return undefined
  }
  return decision === undefined && !wasPassedOn ? request.proceed() : decision
}
