/** A bias with the activation after it, and both gradients: here, one kernel after the other. */
import * as elementwise from './elementwise.js'
import type { JsKernel } from './kernel.js'
import { sum } from './reduce.js'

function biasActivation(activation: JsKernel<'relu'>): JsKernel<'biasRelu'> {
  return (x, bias, y, rows, cols) => {
    elementwise.add(x, bias, y, 1, rows, cols, 7, 4)
    activation(y, y, rows * cols)
  }
}

function biasActivationGrad(gradient: JsKernel<'reluGrad'>): JsKernel<'biasReluGrad'> {
  return (y, dy, dx, dbias, _scratch, rows, cols) => {
    gradient(y, dy, dx, rows * cols)
    sum(dx, dbias, 1, rows, cols, 1)
  }
}

export const biasRelu = biasActivation(elementwise.relu)
export const biasSigmoid = biasActivation(elementwise.sigmoid)
export const biasTanh = biasActivation(elementwise.tanh)
export const biasReluGrad = biasActivationGrad(elementwise.reluGrad)
export const biasSigmoidGrad = biasActivationGrad(elementwise.sigmoidGrad)
export const biasTanhGrad = biasActivationGrad(elementwise.tanhGrad)
