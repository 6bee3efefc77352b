import attention
import torch
from torch.testing import assert_close


def test_layer_norm__two_numbers():
    """The mean is 2, the variance 1."""
    assert_close(attention.layer_norm(torch.tensor([1.0, 3.0]), torch.ones(2), torch.zeros(2)), torch.tensor([-1.0, 1.0]))


def test_attention__equal_scores():
    """Equal scores give the mean of the values."""
    v = torch.tensor([[1.0], [3.0]])
    assert_close(attention.attention(torch.zeros(1, 2), torch.ones(2, 2), v), torch.tensor([[2.0]]))
